"""Answers about movies that the caller names."""

import tensorflow as tf

from components.exported.choosing import Choice, blend, described
from components.exported.inputs import Answer
from components.exported.moments import moment
from components.exported.person import Person
from components.exported.served import Served


def rank(served: Served, movie_id: tf.Tensor, person: Person, mix: tf.Tensor) -> Answer:
    """Orders movies, string [batch, movies], by how likely they are watched or by rating.

    Returns what `described` does [batch, movies], unknown movies last, and `source` [batch].
    """
    asked = moment(served, person)
    rows = served.movies(movie_id)
    known, rows = rows >= 0, tf.maximum(rows, 0)
    scores = tf.gather(served.score(asked.window).model, rows, batch_dims=1)
    scores = tf.where(known, scores, -float("inf"))
    rate = served.rater(asked.window)
    choice = Choice(rows, scores, rate(rows) if rate is not None else None)
    key = blend(scores, choice.rating, mix)
    order = tf.argsort(key, direction="DESCENDING", stable=True)
    return {**described(served, choice.at(order)), "source": asked.source}


def rate(served: Served, movie_id: tf.Tensor, person: Person) -> Answer:
    """Predicts the ratings of movies, string [batch, movies].

    Returns `rating` (NaN where the movie is unknown) and `known` [batch, movies], and `source`
    [batch].
    """
    asked = moment(served, person)
    rows = served.movies(movie_id)
    rating = served.rate(asked.window, tf.maximum(rows, 0))
    return {
        "rating": tf.where(rows >= 0, rating, tf.constant(float("nan"))),
        "known": rows >= 0,
        "source": asked.source,
    }
