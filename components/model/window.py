"""Users' events as the model reads them, and what a moment may see of them."""

from typing import NamedTuple

import tensorflow as tf


class Window(NamedTuple):
    """Consecutive events of some users, padded at the end.

    user: int32 [batch], rows of the user table; out of vocabulary: the last row.
    user_features: int32 [batch, features], rows of each feature's table.
    movie: int32 [batch, length], rows of the catalogue, 0 where padded.
    rating: float32 [batch, length], 0 where padded or not rated.
    present: float32 [batch, length], 0 where padded.
    rated: float32 [batch, length], 1 where an event has a rating, 0 where it was seen alone.
    moment: int32 [batch, length], the place of the first event of each event's moment.
    """

    user: tf.Tensor
    user_features: tf.Tensor
    movie: tf.Tensor
    rating: tf.Tensor
    present: tf.Tensor
    rated: tf.Tensor
    moment: tf.Tensor


# Of any batch and length, so that a graph is traced once.
ANY_WINDOW = Window(
    tf.TensorSpec([None], tf.int32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.int32),
)


def moments(times: tf.Tensor) -> tf.Tensor:
    """The place of the first event of each event's moment: int32 [length].

    Args:
      times: int64 [length], ascending.
    """
    first = tf.concat([tf.ones_like(times[:1], tf.bool), times[1:] != times[:-1]], 0)
    places = tf.cast(tf.where(first)[:, 0], tf.int32)
    return tf.gather(places, tf.cumsum(tf.cast(first, tf.int32)) - 1)


def apart(movie: tf.Tensor) -> tf.Tensor:
    """Moments of one event each, for windows of these movies: int32 [batch, length]."""
    return tf.broadcast_to(tf.range(tf.shape(movie)[1]), tf.shape(movie))


def seen_movies(window: Window, movies: int, earlier: tf.RaggedTensor | None = None) -> tf.Tensor:
    """The one filter of seen movies: marks those of each window, bool [batch, movies].

    Args:
      window: what the model reads.
      movies: how many the catalogue has.
      earlier: int32 [batch, (events)], rows of the catalogue that each user has seen and the model
        does not read, -1 where unknown; none: nobody has.
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


def before(window: Window) -> tuple[tf.Tensor, tf.Tensor]:
    """Lets every position of a window read the events from before its own moment.

    Events of one moment have no order: none of them sees another, and age counts from where the
    moment begins, so that nothing depends on how they stand in it.

    Returns:
      visible and age, float32 [batch, positions, length].
    """
    place = tf.range(tf.shape(window.moment)[1])
    age = window.moment[..., tf.newaxis] - place - 1
    visible = tf.cast(age >= 0, tf.float32) * window.present[:, tf.newaxis]
    return visible, tf.cast(tf.maximum(age, 0), tf.float32)


def others(window: Window) -> tuple[tf.Tensor, tf.Tensor]:
    """Lets every position of a window read all other events; ages are 0.

    Returns:
      visible, float32 [batch, positions, length], and age, float32 [positions, length].
    """
    length = tf.shape(window.present)[1]
    visible = (1.0 - tf.eye(length))[tf.newaxis] * window.present[:, tf.newaxis]
    return visible, tf.zeros([length, length])


def hide(present: tf.Tensor, share: float) -> tf.Tensor:
    """Draws which events [batch, length] are hidden: each with probability `share`."""
    return present * tf.cast(tf.random.uniform(tf.shape(present)) < share, tf.float32)
