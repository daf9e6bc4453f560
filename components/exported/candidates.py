"""Signatures that judge movies which the caller names."""

from typing import Any

import tensorflow as tf

from components.exported.choosing import answer, blend, unmixed
from components.exported.explanation import explain
from components.exported.inputs import (
    ANY,
    BY_RATING,
    BY_WATCH,
    HISTORY,
    NOBODY,
    PERSON,
    UNRATED,
    Answer,
    ask,
    graph,
    spec,
    text,
)
from components.exported.moments import Person
from components.exported.served import Served


def candidate_signatures(served: Served) -> dict[str, Any]:
    """`rank` and `explain`, and `rate` and `rate_as` of a model that predicts ratings.

    Movies go in, and one answer comes out for each.
    """
    signatures = {"rank": _rank(served), "explain": _explain(served)}
    if served.rates:
        signatures |= {"rate": _rate(served), "rate_as": _rate_as(served)}
    return signatures


def _rank(served: Served) -> Any:
    @graph(*text("movie_id", rank=2), *PERSON, spec("mix", tf.float32))
    def rank(
        movie_id: tf.Tensor,
        user_id: tf.Tensor = NOBODY,
        history_movie_id: tf.Tensor = ANY,
        history_rating: tf.Tensor = UNRATED,
        gender: tf.Tensor = NOBODY,
        age: tf.Tensor = NOBODY,
        occupation: tf.Tensor = NOBODY,
        mix: tf.Tensor = BY_RATING if served.rates else BY_WATCH,
    ) -> Answer:
        person = Person(user_id, history_movie_id, history_rating, gender, age, occupation)
        asked, (names, mix) = ask(served, person, movie_id, mix)
        rows = served.movies(names)
        known, rows = rows >= 0, tf.maximum(rows, 0)
        scores = tf.gather(served.score(asked.window).model, rows, batch_dims=1)
        scores = tf.where(known, scores, -float("inf"))
        if served.rates:
            ratings = served.rate(asked.window, rows)
            key = blend(scores, ratings, mix)
        else:
            ratings = None
            with tf.control_dependencies([unmixed(mix)]):
                key = tf.identity(scores)
        order = tf.argsort(key, direction="DESCENDING", stable=True)
        rows, scores = (tf.gather(x, order, batch_dims=1) for x in (rows, scores))
        if ratings is not None:
            ratings = tf.gather(ratings, order, batch_dims=1)
        return {**answer(served, rows, scores, ratings), "source": asked.source}

    return rank


def _rate_as(served: Served) -> Any:
    @graph(*text("movie_id", rank=2), *PERSON)
    def rate_as(
        movie_id: tf.Tensor,
        user_id: tf.Tensor = NOBODY,
        history_movie_id: tf.Tensor = ANY,
        history_rating: tf.Tensor = UNRATED,
        gender: tf.Tensor = NOBODY,
        age: tf.Tensor = NOBODY,
        occupation: tf.Tensor = NOBODY,
    ) -> Answer:
        person = Person(user_id, history_movie_id, history_rating, gender, age, occupation)
        return _ratings(served, person, movie_id)

    return rate_as


def _rate(served: Served) -> Any:
    @graph(*text("user_id"), *HISTORY, *text("movie_id", rank=2))
    def rate(
        user_id: tf.Tensor,
        history_movie_id: tf.Tensor,
        history_rating: tf.Tensor,
        movie_id: tf.Tensor,
    ) -> Answer:
        person = Person(user_id, history_movie_id, history_rating, NOBODY, NOBODY, NOBODY)
        return _ratings(served, person, movie_id)

    return rate


def _explain(served: Served) -> Any:
    @graph(*text("movie_id"), *PERSON)
    def explain_movie(
        movie_id: tf.Tensor,
        user_id: tf.Tensor = NOBODY,
        history_movie_id: tf.Tensor = ANY,
        history_rating: tf.Tensor = UNRATED,
        gender: tf.Tensor = NOBODY,
        age: tf.Tensor = NOBODY,
        occupation: tf.Tensor = NOBODY,
    ) -> Answer:
        person = Person(user_id, history_movie_id, history_rating, gender, age, occupation)
        asked, (names,) = ask(served, person, movie_id)
        return explain(served, asked, served.movies(names))

    return explain_movie


def _ratings(served: Served, person: Person, movie_id: tf.Tensor) -> Answer:
    asked, (names,) = ask(served, person, movie_id)
    rows = served.movies(names)
    rating = served.rate(asked.window, tf.maximum(rows, 0))
    nothing = tf.constant(float("nan"))
    return {
        "rating": tf.where(rows >= 0, rating, nothing),
        "known": rows >= 0,
        "source": asked.source,
    }
