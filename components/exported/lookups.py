"""Movies near a movie, a user's stored history, and a user's query vector."""

import tensorflow as tf

from components.exported.choosing import Choice, describe, keep_first, standard
from components.exported.inputs import Answer
from components.exported.person import Person
from components.exported.resolve import resolve
from components.exported.served import ServedModel


def similar(served: ServedModel, movie_id: tf.Tensor, k: tf.Tensor) -> Answer:
    """Movies that go with that one, string [batch], and whose vectors point the same way.

    The linear path says what people watch together; the vectors alone would show what is of the
    same years. Both are in standard deviations over the movies, so that neither's unit counts. A
    movie that the path does not cover, such as a new one, is found by its vector: its features.

    Returns what `describe` does [batch, greatest k], never the movie itself, where `score` is the
    sum of both, and `known` [batch].
    """
    rows = served.movies(movie_id)
    known, own = rows >= 0, tf.maximum(rows, 0)
    itself = tf.one_hot(rows, served.lengths.shape[0], on_value=True, off_value=False)
    shown = known[:, tf.newaxis] & ~itself
    score = standard(_cosine(served, own), shown)
    if served.model.linear is not None:
        score += standard(served.model.linear.around(own), shown)
    score = tf.where(shown, score, -float("inf"))
    most = tf.clip_by_value(tf.reduce_max(k), 0, tf.shape(score)[1])
    best, nearest = tf.math.top_k(score, most)
    return {**describe(served, Choice(nearest, keep_first(best, k), None)), "known": known}


def _cosine(served: ServedModel, rows: tf.Tensor) -> tf.Tensor:
    """Of the vectors of rows int32 [batch] with those of all movies: float32 [batch, movies]."""
    vectors = served.tables.vectors
    own = tf.gather(vectors, rows) / tf.gather(served.lengths, rows)[:, tf.newaxis]
    return tf.matmul(own, vectors, transpose_b=True) / served.lengths


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
