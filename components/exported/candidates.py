"""Answers about movies that the caller names."""

import tensorflow as tf

from components.exported.choosing import Choice, blend, describe
from components.exported.inputs import Answer
from components.exported.person import Person
from components.exported.resolve import resolve
from components.exported.served import ServedModel


def rank(served: ServedModel, movie_id: tf.Tensor, person: Person, mix: tf.Tensor) -> Answer:
    """Orders movies, string [batch, movies], by how likely they are watched or by rating.

    Returns what `describe` does [batch, movies], unknown movies last, and `source` [batch].
    """
    user = resolve(served, person)
    rows = served.movies(movie_id)
    known, rows = rows >= 0, tf.maximum(rows, 0)
    scores = tf.gather(served.score(user.window).model, rows, batch_dims=1)
    scores = tf.where(known, scores, -float("inf"))
    rate = served.rater(user.window)
    choice = Choice(rows, scores, rate(rows) if rate is not None else None)
    key = blend(scores, choice.rating, mix)
    order = tf.argsort(key, direction="DESCENDING", stable=True)
    return {**describe(served, choice.at(order)), "source": user.source}


def rate(served: ServedModel, movie_id: tf.Tensor, person: Person) -> Answer:
    """Predicts the ratings of movies, string [batch, movies].

    Returns `rating` (NaN where the movie is unknown) and `known` [batch, movies], and `source`
    [batch].
    """
    user = resolve(served, person)
    rows = served.movies(movie_id)
    rating = served.rate(user.window, tf.maximum(rows, 0))
    return {
        "rating": tf.where(rows >= 0, rating, tf.constant(float("nan"))),
        "known": rows >= 0,
        "source": user.source,
    }
