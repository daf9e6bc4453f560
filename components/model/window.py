"""Users' events as the model reads them."""

from typing import NamedTuple

import tensorflow as tf


class Window(NamedTuple):
    """Consecutive events of some users, padded at the end.

    user: int32 [batch], rows of the user table; out of vocabulary: the last row.
    user_features: int32 [batch, features], rows of each feature's table.
    movie: int32 [batch, length], rows of the catalogue, 0 where padded.
    rating: float32 [batch, length], 0 where padded or not rated.
    present: float32 [batch, length], 0 where padded.
    rated: float32 [batch, length], 1 where an event has a rating, 0 where it was only seen.
    moment: int32 [batch, length], the place of the first event of each event's moment.
    asked: int32 [batch, places, features], what is known of each event's own moment when somebody
      asks: rows of each such feature's table, -1 unknown; behind them, where movies have ages, the
      moment's day since 1970 (-1: the newest that the model knows). There is one place, that of
      the question behind the last event, or one for each event, as in training.
    """

    user: tf.Tensor
    user_features: tf.Tensor
    movie: tf.Tensor
    rating: tf.Tensor
    present: tf.Tensor
    rated: tf.Tensor
    moment: tf.Tensor
    asked: tf.Tensor


# The signature of graphs that take windows of any batch and length, so that each is traced once.
ANY_WINDOW = Window(
    tf.TensorSpec([None], tf.int32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None, None, None], tf.int32),
)


def narrowed(window: Window) -> tuple[tf.Tensor, Window]:
    """The movies that a window reads, so that a step need not know of any other.

    Returns:
      int32 [movies], their rows of the catalogue, ascending, each once; and the window with places
      among these instead of rows.
    """
    rows = tf.reshape(window.movie, [-1])
    movies = tf.unique(tf.sort(rows)).y
    places = tf.reshape(tf.searchsorted(movies, rows), tf.shape(window.movie))
    return movies, window._replace(movie=places)


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
