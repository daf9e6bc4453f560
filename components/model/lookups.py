"""Signatures that look things up: movies near a movie, what is stored of a user."""

from typing import Any

import tensorflow as tf

from components.model.inputs import COUNT, TEN, Answer, graph, text
from components.model.moments import batch_of, share
from components.model.served import Served


def lookup_signatures(served: Served) -> dict[str, Any]:
    """`similar` and `history`."""
    return {"similar": _similar(served), "history": _history(served)}


def _similar(served: Served) -> Any:
    @graph(*text("movie_id"), COUNT)
    def similar(movie_id: tf.Tensor, k: tf.Tensor = TEN) -> Answer:
        """Movies whose vectors point the same way: `score` is the cosine."""
        k = tf.reshape(k, [-1])
        movie_id, k = share(batch_of(movie_id, k), movie_id, k)
        rows = served.movies(movie_id)
        vectors, known = served.tables["vectors"], (rows >= 0)[:, tf.newaxis]
        own = tf.gather(vectors, tf.maximum(rows, 0))
        own /= tf.gather(served.lengths, tf.maximum(rows, 0))[:, tf.newaxis]
        cosine = tf.matmul(own, vectors, transpose_b=True) / served.lengths
        itself = tf.one_hot(rows, tf.shape(vectors)[0], on_value=True, off_value=False)
        cosine = tf.where(known & ~itself, cosine, -float("inf"))
        best, found = tf.math.top_k(
            cosine, tf.clip_by_value(tf.reduce_max(k), 0, tf.shape(cosine)[1])
        )
        place = tf.range(tf.shape(best)[1])[tf.newaxis]
        best = tf.where(place < k[:, tf.newaxis], best, -float("inf"))
        return {
            **served.names(found, tf.math.is_finite(best)),
            "score": best,
            "known": known[:, 0],
        }

    return similar


def _history(served: Served) -> Any:
    @graph(*text("user_id"))
    def history(user_id: tf.Tensor) -> Answer:
        """What is stored of users, newest first; '' and 0 behind the oldest."""
        rows = served.users.rows(user_id)
        known = served.users.known(rows)
        movies, ratings = (tf.reverse(x, [1]) for x in served.users.histories(rows, known))
        names = served.names(tf.maximum(movies, 0), movies >= 0)
        return {**names, "rating": ratings, "known": known}

    return history
