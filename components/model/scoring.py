"""Scores, ranks and ratings for users at a moment: the one path of evaluation and serving."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.model.context import Context, latest
from components.model.facts import Facts
from components.model.protocol import Model
from components.model.seen import seen_movies
from components.model.tables import MovieTables
from components.model.window import Window

USER_DOUBT = 5.0  # how many ratings' weight the bias baseline gives to a user bias of 0
BATCH = 256  # rows that the trainer and the diagnostics score at once


class Scores(NamedTuple):
    """What the model and the popularity baseline think of every movie, and what was seen.

    model, popularity: float32 [batch, movies].
    seen: bool [batch, movies], the movies of the history and what was seen before it.
    known: bool [batch], false where neither history nor user id says anything.
    """

    model: tf.Tensor
    popularity: tf.Tensor
    seen: tf.Tensor
    known: tf.Tensor


def score(
    model: Model,
    tables: MovieTables,
    window: Window,
    reach: int,
    earlier: tf.RaggedTensor | None = None,
) -> Scores:
    """Scores the whole catalogue after each history (padded at the front, newest last).

    A user of whom nothing is known gets the popularity baseline. What was seen `earlier` than the
    window is left out and not read: see `seen_movies`.
    """
    context = latest(window, reach, model.ordered)
    scores = tower_scores(model, tables, context)
    if model.linear is not None:
        scores += model.linear(context)
    seen = seen_movies(window, len(model.facts.movie_ids), earlier)
    return Scores(
        with_fallback(model.facts, window, scores),
        tf.broadcast_to(tf.constant(model.facts.popularity_baseline), tf.shape(scores)),
        seen,
        known_users(model.facts, window),
    )


def tower_scores(model: Model, tables: MovieTables, context: Context) -> tf.Tensor:
    """Both towers' scores of the whole catalogue at one position: float32 [batch, movies]."""
    query = model.query(tables, context)[:, 0]
    return tf.matmul(query, tables.vectors, transpose_b=True) + tables.popularity


def with_fallback(facts: Facts, window: Window, scores: tf.Tensor) -> tf.Tensor:
    """The scores [batch, movies], or the baseline's for users of whom nothing is known."""
    known = known_users(facts, window)[:, tf.newaxis]
    return tf.where(known, scores, facts.popularity_baseline)


def known_users(facts: Facts, window: Window) -> tf.Tensor:
    """Of whom either history or user id says anything: bool [batch]."""
    return (tf.reduce_max(window.present, 1) > 0) | (window.user < len(facts.user_ids))


def rate(
    model: Model, tables: MovieTables, window: Window, target: tf.Tensor, reach: int
) -> tf.Tensor:
    """Predicts ratings of `target` int32 [batch, targets] within the scale: float32, same shape."""
    rating = model.rate(tables, latest(window, reach, model.ordered), target)
    return tf.clip_by_value(rating, *model.facts.ends)


def squared_error(
    model: Model,
    tables: MovieTables,
    window: Window,
    target: tf.Tensor,
    given: tf.Tensor,
    reach: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The squared errors of predicted ratings, and which there are: float32 [batch] each.

    Both are 0 where nothing was `given` (float32 [batch], NaN), or where the model predicts none.
    """
    if not model.facts.rates:
        return tf.zeros_like(given), tf.zeros_like(given)
    predicted = rate(model, tables, window, target[:, tf.newaxis], reach)[:, 0]
    rated = ~tf.math.is_nan(given)
    return tf.where(rated, tf.square(predicted - given), 0.0), tf.cast(rated, tf.float32)


def expected_rank(scores: tf.Tensor, target: tf.Tensor, hidden: tf.Tensor | None) -> tf.Tensor:
    """The target's place in the list, 1 for the best; ties share their mean place.

    Args:
      scores: float32 [batch, movies].
      target: int32 [batch], rows of the catalogue.
      hidden: bool [batch, movies], left out of the list (never the target), or none.

    Returns:
      float32 [batch].
    """
    own = tf.gather(scores, target, batch_dims=1)[:, tf.newaxis]
    # Sums of halves are exact in float32 up to millions of movies, and cheaper than counts of bool.
    ahead = tf.cast(scores > own, tf.float32) + 0.5 * tf.cast(scores == own, tf.float32)
    if hidden is not None:
        ahead = tf.where(hidden, 0.0, ahead)
    others = tf.reduce_sum(ahead, 1) - tf.gather(ahead, target, batch_dims=1)
    # A score that is not a number is never better: without this it would win every place.
    lost = tf.cast(tf.shape(scores)[1], tf.float32)
    return tf.where(tf.math.is_finite(own[:, 0]), 1.0 + others, lost)


def uncut_ndcg(rank: tf.Tensor) -> tf.Tensor:
    """NDCG without a cut, of one target at each rank: float32, 1 at rank 1.

    It is 1 / log2(1 + rank), from Jarvelin and Kekalainen (2002).
    """
    return np.log(2.0) / tf.math.log1p(rank)


def bias_rating(facts: Facts, window: Window, target: tf.Tensor) -> tf.Tensor:
    """The user+movie bias baseline, from train's movie means and the history: float32 [batch].

    mean + movie bias + user bias (Koren, 2009, with both biases shrunken to 0); the user's is taken
    from the same history that the model reads, so that the baseline knows as much of new users.
    """
    bias = tf.constant(facts.movie_bias)
    residual = (window.rating - facts.mean - tf.gather(bias, window.movie)) * window.rated
    user = tf.reduce_sum(residual, 1) / (tf.reduce_sum(window.rated, 1) + USER_DOUBT)
    return tf.clip_by_value(facts.mean + tf.gather(bias, target) + user, *facts.ends)
