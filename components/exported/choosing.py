"""Which movies may be shown, and the order of those that are: one stage or two."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from components.exported.served import Served
from components.model.seen import marked

Rate = Callable[[tf.Tensor], tf.Tensor]
NO_RATINGS = "This model was trained without ratings: it cannot predict any."


class Wishes(NamedTuple):
    """What the caller wants; each has a row per user.

    exclude_movie_id: string [batch, movies], ids or titles to leave out; '' is padding.
    genres: string [batch, genres], any of which a movie must have; none: all.
    year_from, year_to: int32 [batch], 0 for open.
    keep_seen: bool [batch], whether movies of the history may be shown.
    mix: float32 [batch], 0 orders by likely to watch, 1 by predicted rating.
    retrieve: int32 [batch], how many are retrieved before `mix` orders them.
    """

    exclude_movie_id: tf.Tensor
    genres: tf.Tensor
    year_from: tf.Tensor
    year_to: tf.Tensor
    keep_seen: tf.Tensor
    mix: tf.Tensor
    retrieve: tf.Tensor


def visible(served: Served, wishes: Wishes, seen: tf.Tensor) -> tf.Tensor:
    """Movies that may be shown, given those `seen`: bool [batch, movies]."""
    rows = tf.RaggedTensor.from_tensor(served.movies(wishes.exclude_movie_id))
    shown = ~marked(rows, len(served.model.facts.movie_ids)) & (
        ~seen | wishes.keep_seen[:, tf.newaxis]
    )
    shown &= served.catalogue.has_genre(wishes.genres)
    return shown & served.catalogue.within_years(wishes.year_from, wishes.year_to)


def choose(
    scores: tf.Tensor, k: tf.Tensor, wishes: Wishes | None, rate: Rate | None
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
    """The best of every row, as many as the greatest k; -inf beyond a row's own k.

    Where a row has a mix above 0, its `retrieve` best (k, if that is more) are ordered anew.

    Args:
      scores: float32 [batch, movies], -inf for what may not be shown.
      k: int32 [batch].
      wishes: none: one stage for all.
      rate: predicts ratings of rows int32 [batch, candidates]; none where there are no ratings.

    Returns:
      Rows int32, their scores and their ratings, float32, each [batch, greatest k]; no ratings
      where there are none.

    Raises:
      tf.errors.InvalidArgumentError: a mix above 0 where there are no ratings.
    """
    movies = tf.shape(scores)[1]
    k = tf.clip_by_value(k, 0, movies)
    if rate is None:
        with tf.control_dependencies([unmixed(wishes.mix)] if wishes else []):
            best, rows = tf.math.top_k(scores, tf.reduce_max(k))
        return rows, _first(best, k), None
    reach = k
    if wishes:
        reach = tf.where(wishes.mix > 0.0, tf.minimum(tf.maximum(k, wishes.retrieve), movies), k)
    best, rows = tf.math.top_k(scores, tf.reduce_max(reach))
    best = _first(best, reach)
    ratings = rate(rows)
    if wishes:
        _, order = tf.math.top_k(blend(best, ratings, wishes.mix), tf.reduce_max(k))
        rows, best, ratings = (tf.gather(x, order, batch_dims=1) for x in (rows, best, ratings))
        best = _first(best, k)
    return rows, best, ratings


def unmixed(mix: tf.Tensor) -> tf.Operation:
    """Refuses a mix where the model predicts no ratings."""
    return tf.debugging.Assert(tf.reduce_all(mix <= 0.0), [f"{NO_RATINGS} mix must be 0"])


def _first(scores: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    place = tf.range(tf.shape(scores)[1])[tf.newaxis]
    return tf.where(place < count[:, tf.newaxis], scores, -float("inf"))


def blend(scores: tf.Tensor, ratings: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """What two stages order by: float32 [batch, candidates], -inf where the score is.

    (1 - mix) z(score) + mix z(rating), each in standard deviations from its mean over the row's
    candidates, so that neither head's unit counts.
    """
    there = tf.math.is_finite(scores)
    mix = tf.clip_by_value(mix, 0.0, 1.0)[:, tf.newaxis]
    mixed = (1.0 - mix) * _standard(scores, there) + mix * _standard(ratings, there)
    return tf.where(there & (mix > 0.0), mixed, scores)


def _standard(values: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    weight = tf.cast(there, tf.float32)
    count = tf.maximum(tf.reduce_sum(weight, 1, keepdims=True), 1.0)
    values = tf.where(there, values, 0.0)
    mean = tf.reduce_sum(values, 1, keepdims=True) / count
    away = (values - mean) * weight
    spread = tf.sqrt(tf.reduce_sum(tf.square(away), 1, keepdims=True) / count)
    return away / tf.maximum(spread, 1e-9)


def answer(
    served: Served, rows: tf.Tensor, scores: tf.Tensor, ratings: tf.Tensor | None
) -> dict[str, tf.Tensor]:
    """Names, scores and, if there are any, ratings; '' and not-a-number where no movie is left."""
    shown = tf.math.is_finite(scores)
    found = {**served.names(rows, shown), "score": scores}
    if ratings is None:
        return found
    return {**found, "rating": tf.where(shown, ratings, tf.constant(float("nan")))}
