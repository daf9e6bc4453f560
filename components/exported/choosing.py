"""The best movies of those that may be shown, retrieved in one stage or reordered in a second."""

from typing import NamedTuple

import tensorflow as tf

from components.exported.inputs import Answer
from components.exported.served import Rate, ServedModel
from components.exported.wishes import Order

NO_RATINGS = "This model was trained without ratings: it cannot predict any."


class Choice(NamedTuple):
    """Movies in order.

    rows: int32 [batch, movies], rows of the catalogue.
    score: float32 [batch, movies], -inf where no movie is left.
    rating: float32 [batch, movies], as predicted; None where the model predicts none.
    """

    rows: tf.Tensor
    score: tf.Tensor
    rating: tf.Tensor | None

    def at(self, place: tf.Tensor) -> "Choice":
        """The movies at some places, int32 [batch, places], in that order."""
        return Choice(*(None if x is None else tf.gather(x, place, batch_dims=1) for x in self))


def choose(scores: tf.Tensor, k: tf.Tensor, rate: Rate | None, order: Order | None) -> Choice:
    """The best of every row, as many as the greatest k; -inf beyond a row's own k.

    Where a row has a mix above 0, its `retrieve` best (k, if that is more) are ordered anew.

    Args:
      scores: float32 [batch, movies], -inf for what may not be shown.
      k: int32 [batch].
      rate: predicts ratings of rows int32 [batch, candidates]; None where the model predicts none.
      order: None orders all rows by their scores alone.

    Raises:
      tf.errors.InvalidArgumentError: a mix above 0 where there are no ratings.
    """
    movies = tf.shape(scores)[1]
    k = reach = tf.clip_by_value(k, 0, movies)
    if order is not None:
        more = tf.minimum(tf.maximum(k, order.retrieve), movies)
        reach = tf.where(order.mix > 0.0, more, k)
    choice = best_of(scores, reach, rate)
    if order is None:
        return choice
    choice = reorder(choice, order.mix, tf.reduce_max(k))
    return choice._replace(score=keep_first(choice.score, k))


def best_of(scores: tf.Tensor, reach: tf.Tensor, rate: Rate | None) -> Choice:
    """The best of every row, as many as its `reach` (int32 [batch], no more than movies)."""
    best, rows = tf.math.top_k(scores, tf.reduce_max(reach))
    return Choice(rows, keep_first(best, reach), rate(rows) if rate is not None else None)


def reorder(choice: Choice, mix: tf.Tensor, count: tf.Tensor) -> Choice:
    """The first `count` of a choice ordered by `blend`; `mix` is float32 [batch]."""
    mixed = blend(choice.score, choice.rating, mix)
    return choice.at(tf.math.top_k(mixed, count).indices)


def keep_first(scores: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Scores float32 [batch, movies], -inf behind the first `count` (int32 [batch]) of a row."""
    place = tf.range(tf.shape(scores)[1])[tf.newaxis]
    return tf.where(place < count[:, tf.newaxis], scores, -float("inf"))


def blend(scores: tf.Tensor, ratings: tf.Tensor | None, mix: tf.Tensor) -> tf.Tensor:
    """What two stages order by: float32 [batch, candidates], -inf where the score is.

    (1 - mix) z(score) + mix z(rating), each in standard deviations from its mean over the row's
    candidates, so that neither head's unit counts.

    Raises:
      tf.errors.InvalidArgumentError: a mix above 0 where there are no ratings.
    """
    if ratings is None:
        unmixed = tf.debugging.Assert(tf.reduce_all(mix <= 0.0), [f"{NO_RATINGS} mix must be 0"])
        with tf.control_dependencies([unmixed]):
            return tf.identity(scores)
    candidate = tf.math.is_finite(scores)
    mix = tf.clip_by_value(mix, 0.0, 1.0)[:, tf.newaxis]
    mixed = (1.0 - mix) * standard(scores, candidate) + mix * standard(ratings, candidate)
    return tf.where(candidate & (mix > 0.0), mixed, scores)


def standard(values: tf.Tensor, candidate: tf.Tensor) -> tf.Tensor:
    weight = tf.cast(candidate, tf.float32)
    count = tf.maximum(tf.reduce_sum(weight, 1, keepdims=True), 1.0)
    values = tf.where(candidate, values, 0.0)
    mean = tf.reduce_sum(values, 1, keepdims=True) / count
    away = (values - mean) * weight
    spread = tf.sqrt(tf.reduce_sum(tf.square(away), 1, keepdims=True) / count)
    return away / tf.maximum(spread, 1e-9)


def describe(served: ServedModel, choice: Choice) -> Answer:
    """Ids, titles, scores and, if there are any, ratings; '' and NaN where no movie is left."""
    shown = tf.math.is_finite(choice.score)
    answer = {**served.names(choice.rows, shown), "score": choice.score}
    if choice.rating is None:
        return answer
    return {**answer, "rating": tf.where(shown, choice.rating, tf.constant(float("nan")))}
