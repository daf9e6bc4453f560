"""The parts of a movie or a user (the id and each feature), and how they become one vector."""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Protocol

import tensorflow as tf
from numpy.typing import NDArray

from components.model import randomness
from components.model.facts import Facts

WIDE = 8  # values of a movie, from which on copying their rows costs more than finding them


class Combination(Protocol):
    """Makes one vector of parts."""

    def __call__(self, groups: Sequence[Sequence[tf.Tensor]]) -> tf.Tensor:
        """Maps groups of parts, float32 [..., width] each, to float32 [..., width].

        All parts can be broadcast to the shape of the first group's first.
        """


def add_up(groups: Iterable[Sequence[tf.Tensor]]) -> tf.Tensor:
    """The plain combination: adds up the parts of each group, then the groups."""
    return reduce(operator.add, (reduce(operator.add, group) for group in groups))


def of_movies(rows: NDArray[Any], movies: tf.Tensor | None) -> tf.Tensor:
    """The rows [catalogue, ...] of some movies, int32 [movies]; of all of them where it is None."""
    return tf.constant(rows) if movies is None else tf.gather(tf.constant(rows), movies)


def shown_rows(facts: Facts, dropout: float, movies: tf.Tensor | None = None) -> tf.Tensor:
    """The movies' rows of an id table, a share `dropout` of them out of vocabulary: int32 [movies].

    The out-of-vocabulary rows, which stand for ids that training never saw, learn from these.
    `movies` are as in `of_movies`.
    """
    rows = of_movies(facts.id_rows, movies)
    if not dropout:
        return rows
    hidden = randomness.uniform(tf.shape(rows)) < dropout
    return tf.where(hidden, of_movies(facts.oov_rows, movies), rows)


def feature_means(table: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """Each movie's mean over the values of a feature; zeros where it has none.

    `table` float32 [values, width], `index` int32 [movies, most values], -1 for padding; returns
    float32 [movies, width].
    """
    if index.shape[1] is not None and index.shape[1] >= WIDE:
        return _wide_means(table, index)
    present = tf.cast(index >= 0, tf.float32)[..., tf.newaxis]
    rows = tf.gather(table, tf.maximum(index, 0)) * present
    return tf.reduce_sum(rows, 1) / tf.maximum(tf.reduce_sum(present, 1), 1.0)


def _wide_means(table: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """The same without a copy of every value's row, which is most of what a text costs.

    Each row is taken out of the table once, and its gradient comes in one piece: the gradient of
    many rows of a variable takes several times as long as the mean itself.
    """
    there = tf.where(index >= 0)
    values, movies = tf.gather_nd(index, there), tf.shape(index, tf.int64)[0]
    rows, place = tf.unique(values)
    return tf.sparse.segment_mean(tf.gather(table, rows), place, there[:, 0], movies)


def user_parts(tables: Iterable[tf.Tensor], features: tf.Tensor) -> list[tf.Tensor]:
    """What each feature of users says: float32 [batch, width] each.

    Args:
      tables: each feature's, float32 [values, width].
      features: int32 [batch, features], rows of the tables.
    """
    return [tf.gather(table, features[:, place]) for place, table in enumerate(tables)]
