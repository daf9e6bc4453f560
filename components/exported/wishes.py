"""What a signature takes of the wishes of the person who asks, and which movies they leave."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from components.exported.inputs import Input, Tensors
from components.exported.served import ServedModel
from components.model.seen import marked
from schemas.features import GENRES, HAVING, YEAR

K = Input("k", tf.int32, None, [10])
K_REQUIRED = Input("k", tf.int32, None)
RETRIEVED = 200  # movies that a mix orders anew
MIX = Input("mix", tf.float32, default=[0.0])


class Order(NamedTuple):
    """How a list is ordered.

    mix: float32 [batch], 0 orders by likely to watch, 1 by predicted rating.
    retrieve: int32 [batch], how many are retrieved before `mix` orders them.
    """

    mix: tf.Tensor
    retrieve: tf.Tensor


class Wishes(NamedTuple):
    """Which movies a list may show, how many, and in what order.

    k: int32 [batch], how many to show.
    exclude_movie_id: string [batch, movies], ids or titles to leave out; '' is padding.
    having: string [batch, wishes], categories as 'name=value', '' is padding: of each category that
      is named, a movie must have one of the values. Genres are one of them.
    first_year, last_year: int32 [batch], 0 for open.
    keep_seen: bool [batch], whether movies of the history may be shown.
    order: how they are ordered.
    """

    k: tf.Tensor
    exclude_movie_id: tf.Tensor
    having: tf.Tensor
    first_year: tf.Tensor
    last_year: tf.Tensor
    keep_seen: tf.Tensor
    order: Order


class WishesPart:
    """The inputs that make `Wishes`."""

    inputs: Sequence[Input] = (
        K,
        Input("exclude_movie_id", tf.string, 2, [[]]),
        Input(GENRES, tf.string, 2, [[]]),
        Input(HAVING, tf.string, 2, [[]]),
        Input(f"{YEAR}_from", tf.int32, default=[0]),
        Input(f"{YEAR}_to", tf.int32, default=[0]),
        Input("keep_seen", tf.bool, default=[False]),
        MIX,
        Input("retrieve", tf.int32, default=[RETRIEVED]),
    )

    def read(self, tensors: Tensors) -> Wishes:
        """Makes wishes of the tensors."""
        k, exclude, genres, having, first, last, keep_seen, mix, retrieve = (
            tensors[own.name] for own in self.inputs
        )
        any_genre = tf.where(genres == "", "", tf.strings.join([f"{GENRES}=", genres]))
        having = tf.concat([any_genre, having], 1)
        return Wishes(k, exclude, having, first, last, keep_seen, Order(mix, retrieve))


def visible(served: ServedModel, wishes: Wishes, seen: tf.Tensor) -> tf.Tensor:
    """Movies that may be shown, given those `seen`: bool [batch, movies]."""
    rows = tf.RaggedTensor.from_tensor(served.movies(wishes.exclude_movie_id))
    shown = ~marked(rows, len(served.model.facts.movie_ids)) & (
        ~seen | wishes.keep_seen[:, tf.newaxis]
    )
    shown &= served.catalogue.categories.fitting(wishes.having)
    return shown & served.catalogue.within_years(wishes.first_year, wishes.last_year)
