"""The lists for one person."""

import tensorflow as tf

from components.exported.choosing import choose, describe
from components.exported.inputs import Answer
from components.exported.person import Person
from components.exported.resolve import ResolvedUser, resolve
from components.exported.served import ServedModel
from components.exported.wishes import Order, Wishes, visible
from components.model.scoring import Scores


def recommend(served: ServedModel, person: Person, k: tf.Tensor) -> Answer:
    """The best movies that the person has not seen: see `_listed`."""
    user = resolve(served, person)
    scores = served.score(user.window, user.earlier)
    return _listed(served, user, scores, ~scores.seen, k, None)


def recommend_filtered(served: ServedModel, person: Person, wishes: Wishes) -> Answer:
    """The best movies of those that the person wishes to be shown: see `_listed`."""
    user = resolve(served, person)
    scores = served.score(user.window, user.earlier)
    shown = visible(served, wishes, scores.seen)
    return _listed(served, user, scores, shown, wishes.k, wishes.order)


def _listed(
    served: ServedModel,
    user: ResolvedUser,
    scores: Scores,
    shown: tf.Tensor,
    k: tf.Tensor,
    order: Order | None,
) -> Answer:
    """Lists the best of the movies that are `shown`, bool [batch, movies].

    Returns what `describe` does [batch, greatest k], and `known` and `source` [batch].
    """
    allowed = tf.where(shown, scores.model, -float("inf"))
    choice = choose(allowed, k, served.rater(user.window), order)
    return {**describe(served, choice), "known": scores.known, "source": user.source}
