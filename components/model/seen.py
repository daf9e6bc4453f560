"""The filter of seen movies: training, evaluation and serving all leave them out by it."""

import tensorflow as tf

from components.model.window import Window


def seen_movies(window: Window, movies: int, earlier: tf.RaggedTensor | None = None) -> tf.Tensor:
    """Marks the movies that each user has seen: bool [batch, movies].

    Args:
      window: what the model reads.
      movies: how many the catalogue has.
      earlier: int32 [batch, (events)], rows of movies that each user saw before the window, -1
        where unknown (default: no such movies).
    """
    batch = tf.shape(window.movie)[0]
    rows = tf.broadcast_to(tf.range(batch)[:, tf.newaxis], tf.shape(window.movie))
    index = tf.stack([rows, window.movie], -1)
    seen = tf.scatter_nd(index, window.present, [batch, movies]) > 0
    return seen if earlier is None else seen | marked(earlier, movies)


def marked(rows: tf.RaggedTensor, movies: int) -> tf.Tensor:
    """Marks rows of the catalogue, int32 [batch, (some)], but for -1: bool [batch, movies]."""
    # A long list must not make the others' as long: nothing here is as wide as the longest.
    owner = tf.boolean_mask(rows.value_rowids(), rows.values >= 0)
    movie = tf.cast(tf.boolean_mask(rows.values, rows.values >= 0), owner.dtype)
    marks = tf.ones(tf.shape(owner), tf.int32)
    return tf.scatter_nd(tf.stack([owner, movie], 1), marks, [rows.nrows(), movies]) > 0
