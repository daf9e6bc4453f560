"""Recommendations for two or more people: whose taste counts how much, and by which rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from components.exported.choosing import choose, describe
from components.exported.inputs import Answer, Input, Tensors
from components.exported.person import Person, PersonPart
from components.exported.resolve import resolve
from components.exported.served import ServedModel
from components.exported.wishes import Wishes, visible

MEAN, LEAST_MISERY, MOST_PLEASURE = "mean", "least_misery", "most_pleasure"


class Group(NamedTuple):
    """Groups of people: `Person`'s tensors with a people's axis behind the first.

    weights: float32 [batch, people]; who weighs nothing is not there.
    rule: string [batch], one of the three above.
    """

    person: Person
    weights: tf.Tensor
    rule: tf.Tensor


@dataclass(frozen=True)
class GroupPart:
    """The inputs that make a `Group`; what has one row of people is shared by all of them.

    features: the features of users and moments that can be given, with their types.
    """

    features: Mapping[str, tf.DType]

    @property
    def inputs(self) -> Sequence[Input]:
        """Those of a person with a people's axis, the weights and the rule."""
        return (
            *self._people.inputs,
            Input("weights", tf.float32, 2, [[1.0]]),
            Input("rule", tf.string, default=[MEAN]),
        )

    @property
    def _people(self) -> PersonPart:
        return PersonPart(self.features, axes=2)

    def read(self, tensors: Tensors) -> Group:
        """Makes groups of the tensors."""
        of_people = self._people.read(tensors), tensors["weights"]
        sizes = [tf.shape(x)[1] for x in tf.nest.flatten(of_people)]
        people = tf.reduce_max(tf.stack(sizes))

        def for_each(x: tf.Tensor) -> tf.Tensor:
            shape = tf.shape(x)
            return tf.broadcast_to(x, tf.concat([shape[:1], [people], shape[2:]], 0))

        person, weights = tf.nest.map_structure(for_each, of_people)
        return Group(person, weights, tensors["rule"])


def recommend_group(served: ServedModel, group: Group, wishes: Wishes) -> Answer:
    """Orders movies by what the people's scores come to; ratings likewise.

    A person's score is the log probability that they watch the movie next, so that everyone's
    sums to one and nobody counts more by being surer. A movie that anyone there has seen is left
    out unless the seen are kept.

    Returns what `describe` does, with `source` string [batch, people] and, where the model
    predicts ratings, `person_rating` float32 [batch, k, people] (each one's).
    """
    batch, people = tf.shape(group.weights)[0], tf.shape(group.weights)[1]
    user = resolve(served, tf.nest.map_structure(_flat, group.person))
    scores = served.score(user.window, user.earlier)
    weights = tf.where(group.weights > 0.0, group.weights, 0.0)
    by_person = [batch, people, -1]
    watch = tf.reshape(tf.nn.log_softmax(scores.model), by_person)
    seen = tf.reshape(scores.seen, by_person) & (weights > 0.0)[..., tf.newaxis]
    shown = visible(served, wishes, tf.reduce_any(seen, 1))
    together = tf.where(shown, aggregate(watch, weights, group.rule), -float("inf"))

    def person_ratings(rows: tf.Tensor) -> tf.Tensor:
        each = tf.repeat(rows, people, 0)
        return tf.reshape(served.rate(user.window, each), by_person)

    def rate(rows: tf.Tensor) -> tf.Tensor:
        return aggregate(person_ratings(rows), weights, group.rule)

    choice = choose(together, wishes.k, rate if served.rates else None, wishes.order)
    answer = describe(served, choice)
    if served.rates:
        answer["person_rating"] = tf.transpose(person_ratings(choice.rows), [0, 2, 1])
    return {**answer, "source": tf.reshape(user.source, [batch, people])}


def _flat(x: tf.Tensor) -> tf.Tensor:
    """Everyone of all groups in one batch."""
    return tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], 0))


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
    present = (weights > 0.0)[..., tf.newaxis]
    total = tf.maximum(tf.reduce_sum(weights, 1, keepdims=True), 1e-9)
    mean = tf.reduce_sum(values * weights[..., tf.newaxis], 1) / total
    least = tf.reduce_min(tf.where(present, values, values.dtype.max), 1)
    most = tf.reduce_max(tf.where(present, values, values.dtype.min), 1)
    return tf.where(rule == LEAST_MISERY, least, tf.where(rule == MOST_PLEASURE, most, mean))
