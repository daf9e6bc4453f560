"""Scores, ranks and ratings for users at a moment: the one path of evaluation and serving."""

from typing import NamedTuple

import tensorflow as tf

from components.model.facts import Facts
from components.model.linear import LinearPath
from components.model.recommender import Recommender
from components.model.window import Window, seen_movies

USER_DOUBT = 5.0  # ratings' worth of doubt in a user's mean, for the bias baseline
Tables = dict[str, tf.Tensor]
TAKEN_FOR = "taken_for"  # a table that not every model's tables hold: int32 [movies]


class Scores(NamedTuple):
    """What the model and the popularity baseline think of every movie, and who was seen.

    model, popularity: float32 [batch, movies].
    seen: bool [batch, movies], the movies of the history and what was seen before it.
    known: bool [batch], false where neither history nor user id says anything.
    """

    model: tf.Tensor
    popularity: tf.Tensor
    seen: tf.Tensor
    known: tf.Tensor


def reading(model: Recommender, window: Window, reach: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Lets one position, after the last event, read the newest `reach` events.

    Returns visible, float32 [batch, 1, length], and age, float32 [1, length].
    """
    length = tf.shape(window.movie)[1]
    age = tf.cast(tf.range(length - 1, -1, -1), tf.float32)[tf.newaxis]
    visible = window.present * tf.cast(age < float(reach), tf.float32)
    return visible[:, tf.newaxis], age if model.ordered else tf.zeros_like(age)


def score(
    model: Recommender,
    tables: Tables,
    window: Window,
    reach: int,
    earlier: tf.RaggedTensor | None = None,
) -> Scores:
    """Scores the whole catalogue after each history (padded at the front, newest last).

    A user of whom nothing is known gets the popularity of train. What was seen `earlier` than the
    window is left out and not read: see `window.seen_movies`.
    """
    movies = len(model.facts.movie_ids)
    visible, age = reading(model, window, reach)
    query = model.query(tables, window, visible, age)[:, 0]
    scores = tf.matmul(query, tables["vectors"], transpose_b=True) + tables["popularity"]
    if model.linear is not None:
        scores += _linear(model.linear, tables, window, visible[:, 0], age)
    popularity = tf.broadcast_to(tf.constant(model.facts.log_popularity), tf.shape(scores))
    known = known_users(model, window)
    scores = tf.where(known[:, tf.newaxis], scores, popularity)
    return Scores(scores, popularity, seen_movies(window, movies, earlier), known)


def _linear(
    path: LinearPath, tables: Tables, window: Window, visible: tf.Tensor, age: tf.Tensor
) -> tf.Tensor:
    """What the path adds to the scores: it takes each movie for the one that `taken_for` tells."""
    if TAKEN_FOR not in tables:
        return path(window.movie, visible, age)
    found = path(tf.gather(tables[TAKEN_FOR], window.movie), visible, age)
    return tf.gather(found, tables[TAKEN_FOR], axis=1)


def known_users(model: Recommender, window: Window) -> tf.Tensor:
    """Of whom either history or user id says anything: bool [batch]."""
    return (tf.reduce_max(window.present, 1) > 0) | (window.user < model.users.unknown)


def rate(
    model: Recommender, tables: Tables, window: Window, target: tf.Tensor, reach: int
) -> tf.Tensor:
    """Predicts ratings of `target` int32 [batch, targets] within the scale: float32, same shape."""
    visible, age = reading(model, window, reach)
    rating = model.rate(tables, window, target, visible, age)
    return tf.clip_by_value(rating, *model.facts.ends)


def squared_error(
    model: Recommender,
    tables: Tables,
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
    found, rated = rate(model, tables, window, target[:, tf.newaxis], reach), ~tf.math.is_nan(given)
    return tf.where(rated, tf.square(found[:, 0] - given), 0.0), tf.cast(rated, tf.float32)


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
    others = tf.one_hot(target, tf.shape(scores)[1], on_value=False, off_value=True)
    if hidden is not None:
        others &= ~hidden
    better = tf.math.count_nonzero((scores > own) & others, 1, dtype=tf.float32)
    equal = tf.math.count_nonzero((scores == own) & others, 1, dtype=tf.float32)
    # A score that is not a number is never better: without this it would win every place.
    lost = tf.cast(tf.shape(scores)[1], tf.float32)
    return tf.where(tf.math.is_finite(own[:, 0]), 1.0 + better + equal / 2.0, lost)


def bias_rating(facts: Facts, window: Window, target: tf.Tensor) -> tf.Tensor:
    """The user+movie bias baseline, from train's movie means and the history: float32 [batch].

    mean + movie bias + user bias (Koren, 2009, with both biases shrunken to 0); the user's is taken
    from the same history that the model reads, so that new users are no easy prey.
    """
    bias = tf.constant(facts.movie_bias)
    residual = (window.rating - facts.mean - tf.gather(bias, window.movie)) * window.rated
    user = tf.reduce_sum(residual, 1) / (tf.reduce_sum(window.rated, 1) + USER_DOUBT)
    return tf.clip_by_value(facts.mean + tf.gather(bias, target) + user, *facts.ends)
