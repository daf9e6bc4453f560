"""The lists for one person."""

import tensorflow as tf

from components.exported.choosing import choose, described
from components.exported.inputs import Answer
from components.exported.moments import Moment, moment
from components.exported.person import Person
from components.exported.served import Served
from components.exported.wishes import Order, Wishes, visible
from components.model.scoring import Scores


def recommend(served: Served, person: Person, k: tf.Tensor) -> Answer:
    """The best movies that the person has not seen: see `_listed`."""
    asked = moment(served, person)
    scores = served.score(asked.window, asked.earlier)
    return _listed(served, asked, scores, ~scores.seen, k, None)


def recommend_filtered(served: Served, person: Person, wishes: Wishes) -> Answer:
    """The best movies of those that the person wishes to be shown: see `_listed`."""
    asked = moment(served, person)
    scores = served.score(asked.window, asked.earlier)
    shown = visible(served, wishes, scores.seen)
    return _listed(served, asked, scores, shown, wishes.k, wishes.order)


def _listed(
    served: Served,
    asked: Moment,
    scores: Scores,
    shown: tf.Tensor,
    k: tf.Tensor,
    order: Order | None,
) -> Answer:
    """Lists the best of the movies that are `shown`, bool [batch, movies].

    Returns what `described` does [batch, greatest k], and `known` and `source` [batch].
    """
    allowed = tf.where(shown, scores.model, -float("inf"))
    choice = choose(allowed, k, served.rater(asked.window), order)
    return {**described(served, choice), "known": scores.known, "source": asked.source}
