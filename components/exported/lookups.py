"""Movies near a movie, a user's stored history, and a user's query vector."""

import tensorflow as tf

from components.exported.choosing import Choice, describe, keep_first
from components.exported.inputs import Answer
from components.exported.person import Person
from components.exported.resolve import resolve
from components.exported.served import ServedModel


def similar(served: ServedModel, movie_id: tf.Tensor, k: tf.Tensor) -> Answer:
    """Movies whose vectors point the same way as that of one, string [batch]; never itself.

    Returns what `describe` does [batch, greatest k], where `score` is the cosine, and `known`
    [batch].
    """
    rows = served.movies(movie_id)
    vectors, known = served.tables.vectors, rows >= 0
    own = tf.gather(vectors, tf.maximum(rows, 0))
    own /= tf.gather(served.lengths, tf.maximum(rows, 0))[:, tf.newaxis]
    cosine = tf.matmul(own, vectors, transpose_b=True) / served.lengths
    itself = tf.one_hot(rows, tf.shape(vectors)[0], on_value=True, off_value=False)
    cosine = tf.where(known[:, tf.newaxis] & ~itself, cosine, -float("inf"))
    most = tf.clip_by_value(tf.reduce_max(k), 0, tf.shape(cosine)[1])
    best, nearest = tf.math.top_k(cosine, most)
    return {**describe(served, Choice(nearest, keep_first(best, k), None)), "known": known}


def history(served: ServedModel, user_id: tf.Tensor) -> Answer:
    """All that is stored of users, newest first; '' and 0 behind the oldest, NaN: not rated."""
    rows = served.users.rows(user_id)
    known = served.users.known(rows)
    movies, ratings = (tf.reverse(x, [1]) for x in served.users.everything(rows, known))
    answer = {**served.names(tf.maximum(movies, 0), movies >= 0), "known": known}
    return {**answer, "rating": ratings} if served.rates else answer


def query(served: ServedModel, person: Person) -> Answer:
    """What a list is made from: a movie's score is query @ vector + popularity + linear.

    `linear` belongs to the movies of `linear_rows`; `history_row` is all that is left out of the
    list, -1 where padded; where not `known`, the score is popularity's instead.
    """
    user = resolve(served, person)
    window = user.window
    read = tf.where(window.present > 0, window.movie, -1)
    seen = tf.concat([user.earlier.to_tensor(-1), read], 1)
    return {**served.encode(window), "history_row": seen, "source": user.source}
