"""Recommendations for two or more people: whose taste counts how much, and by which rule."""

from typing import NamedTuple

import tensorflow as tf

from components.exported.choosing import Wishes, answer, choose, visible
from components.exported.moments import Person, moment
from components.exported.served import Served

MEAN, LEAST_MISERY, MOST_PLEASURE = "mean", "least_misery", "most_pleasure"


class Group(NamedTuple):
    """Groups of people: `Person`'s tensors with a people's axis behind the first.

    weights: float32 [batch, people]; who weighs nothing is not there.
    rule: string [batch], one of the three above.
    """

    person: Person
    weights: tf.Tensor
    rule: tf.Tensor


def recommend_group(
    served: Served, group: Group, k: tf.Tensor, wishes: Wishes
) -> dict[str, tf.Tensor]:
    """Orders movies by what the people's scores come to; ratings likewise.

    A person's score is the log probability that they watch the movie next, so that everyone's
    sums to one and nobody counts more by being surer. A movie that anyone there has seen is left
    out unless the seen are kept.

    Returns what `choosing.answer` does, with `source` string [batch, people] and, where the model
    predicts ratings, `person_rating` float32 [batch, k, people] (each one's).
    """
    batch, people = tf.shape(group.weights)[0], tf.shape(group.weights)[1]
    flat = Person(*(tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], 0)) for x in group.person))
    moments = moment(served, flat)
    scores = served.score(moments.window, moments.earlier)
    there = tf.where(group.weights > 0.0, group.weights, 0.0)
    apart = [batch, people, -1]
    watch = tf.reshape(tf.nn.log_softmax(scores.model), apart)
    seen = tf.reshape(scores.seen, apart) & (there > 0.0)[..., tf.newaxis]

    def person_ratings(rows: tf.Tensor) -> tf.Tensor:
        each = tf.repeat(rows, people, 0)
        return tf.reshape(served.rate(moments.window, each), apart)

    shown = visible(served, wishes, tf.reduce_any(seen, 1))
    together = tf.where(shown, aggregate(watch, there, group.rule), -float("inf"))

    def rate(rows: tf.Tensor) -> tf.Tensor:
        return aggregate(person_ratings(rows), there, group.rule)

    rows, best, ratings = choose(together, k, wishes, rate if served.rates else None)
    found = answer(served, rows, best, ratings)
    if served.rates:
        found["person_rating"] = tf.transpose(person_ratings(rows), [0, 2, 1])
    return {**found, "source": tf.reshape(moments.source, [batch, people])}


def aggregate(values: tf.Tensor, weights: tf.Tensor, rule: tf.Tensor) -> tf.Tensor:
    """What several people's values come to.

    The rules are the average, least misery and most pleasure strategies (Masthoff, 2004), over
    those who weigh more than nothing.

    Args:
      values: float32 [batch, people, movies].
      weights: float32 [batch, people], 0 for who is not there.
      rule: string [batch].

    Returns:
      float32 [batch, movies].
    """
    known = tf.reduce_all((rule == MEAN) | (rule == LEAST_MISERY) | (rule == MOST_PLEASURE))
    check = tf.debugging.Assert(
        known, ["rule must be mean, least_misery or most_pleasure, not", rule]
    )
    with tf.control_dependencies([check]):
        rule = tf.identity(rule)[:, tf.newaxis]
    there = (weights > 0.0)[..., tf.newaxis]
    total = tf.maximum(tf.reduce_sum(weights, 1, keepdims=True), 1e-9)
    mean = tf.reduce_sum(values * weights[..., tf.newaxis], 1) / total
    least = tf.reduce_min(tf.where(there, values, values.dtype.max), 1)
    most = tf.reduce_max(tf.where(there, values, values.dtype.min), 1)
    return tf.where(rule == LEAST_MISERY, least, tf.where(rule == MOST_PLEASURE, most, mean))
