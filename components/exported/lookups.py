"""Signatures that look things up: movies near a movie, what is stored and thought of a user."""

from typing import Any

import tensorflow as tf

from components.exported.inputs import COUNT, HISTORY, NOBODY, TEN, Answer, ask, graph, text
from components.exported.moments import Person, batch_of, share
from components.exported.served import Served


def lookup_signatures(served: Served) -> dict[str, Any]:
    """`similar`, `history` and `query`."""
    return {"similar": _similar(served), "history": _history(served), "query": _query(served)}


def _similar(served: Served) -> Any:
    @graph(*text("movie_id"), COUNT)
    def similar(movie_id: tf.Tensor, k: tf.Tensor = TEN) -> Answer:
        """Movies whose vectors point the same way: `score` is the cosine."""
        k = tf.reshape(k, [-1])
        movie_id, k = share(batch_of(movie_id, k), movie_id, k)
        rows = served.movies(movie_id)
        vectors, known = served.tables.vectors, (rows >= 0)[:, tf.newaxis]
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
        """All that is stored of users, newest first; '' and 0 behind the oldest, NaN: not rated."""
        rows = served.users.rows(user_id)
        known = served.users.known(rows)
        movies, ratings = (tf.reverse(x, [1]) for x in served.users.everything(rows, known))
        names = served.names(tf.maximum(movies, 0), movies >= 0)
        found = {**names, "known": known}
        return {**found, "rating": ratings} if served.rates else found

    return history


def _query(served: Served) -> Any:
    @graph(*text("user_id"), *HISTORY)
    def query(user_id: tf.Tensor, history_movie_id: tf.Tensor, history_rating: tf.Tensor) -> Answer:
        """What a list is made from: a movie's score is query @ vector + popularity + linear.

        `linear` belongs to the movies of `linear_rows`; `history_row` is all that is left out of
        the list, -1 where padded; where not `known`, the score is popularity's instead.
        """
        person = Person(user_id, history_movie_id, history_rating, NOBODY, NOBODY, NOBODY)
        asked, _ = ask(served, person)
        window = asked.window
        read = tf.where(window.present > 0, window.movie, -1)
        seen = tf.concat([asked.earlier.to_tensor(-1), read], 1)
        return {**served.encode(window), "history_row": seen, "source": asked.source}

    return query
