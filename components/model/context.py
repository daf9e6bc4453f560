"""What a model may read of its users at some moments."""

from typing import NamedTuple

import tensorflow as tf

from components.model import randomness
from components.model.window import Window


class Context(NamedTuple):
    """Some moments (the positions) in users' histories, and which events each of them may read.

    window: the users' events.
    visible: float32 [batch, positions, length], 1 where a position may read an event.
    age: float32 [positions, length] or [batch, positions, length], how many events are newer.
    """

    window: Window
    visible: tf.Tensor
    age: tf.Tensor

    def rated(self) -> "Context":
        """The same moments, which may read rated events only."""
        return self._replace(visible=self.visible * self.window.rated[:, tf.newaxis])


def before(window: Window) -> Context:
    """Lets every position of a window read the events from before its own moment.

    Events of one moment have no order: none of them sees another, and age counts from where the
    moment begins, so that nothing depends on how they stand in it.

    Returns:
      A context of `visible` and `age` [batch, length, length].
    """
    place = tf.range(tf.shape(window.moment)[1])
    age = window.moment[..., tf.newaxis] - place - 1
    visible = tf.cast(age >= 0, tf.float32) * window.present[:, tf.newaxis]
    return Context(window, visible, tf.cast(tf.maximum(age, 0), tf.float32))


def others(window: Window) -> Context:
    """Lets every position of a window read all other events; ages are 0.

    Returns:
      A context of `visible` [batch, length, length] and `age` [length, length].
    """
    length = tf.shape(window.present)[1]
    visible = (1.0 - tf.eye(length))[tf.newaxis] * window.present[:, tf.newaxis]
    return Context(window, visible, tf.zeros([length, length]))


def without(window: Window, hidden: tf.Tensor) -> Context:
    """Lets one position read all events but the hidden ones; ages are 0.

    Args:
      window: the users' events.
      hidden: float32 [batch, length], 1 for events that may not be read.

    Returns:
      A context of `visible` [batch, 1, length] and `age` [1, length].
    """
    visible = (window.present - hidden)[:, tf.newaxis]
    # What is hidden was watched at different moments: of none of them anything is told.
    untold = window._replace(asked=tf.fill(tf.shape(window.asked[:, :1]), -1))
    return Context(untold, visible, tf.zeros([1, tf.shape(window.movie)[1]]))


def latest(window: Window, reach: int, ordered: bool) -> Context:
    """Lets one position, after the last event, read the newest `reach` events.

    Args:
      window: padded at the front, newest last.
      reach: how many places from the end may be read.
      ordered: whether age counts; ages are 0 where it does not.

    Returns:
      A context of `visible` [batch, 1, length] and `age` [1, length].
    """
    length = tf.shape(window.movie)[1]
    age = tf.cast(tf.range(length - 1, -1, -1), tf.float32)[tf.newaxis]
    visible = window.present * tf.cast(age < float(reach), tf.float32)
    return Context(window, visible[:, tf.newaxis], age if ordered else tf.zeros_like(age))


def hide(present: tf.Tensor, share: float) -> tf.Tensor:
    """Draws which events [batch, length] are hidden: each with probability `share`."""
    return present * tf.cast(randomness.uniform(tf.shape(present)) < share, tf.float32)
