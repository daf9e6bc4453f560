"""Weights of which a training step reads, and changes, some rows only."""

from typing import NamedTuple, Protocol

import tensorflow as tf


class Pull(Protocol):
    """Where gradient descent on a regulariser alone takes rows, in closed form."""

    def __call__(self, values: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        """The rows, float32 [rows, width], after some time of that descent, of the same shape.

        `time`, of the same shape, is the sum of the steps' learning rates.
        """


class RowTable(NamedTuple):
    """Such a weight.

    weight: float32 [rows, width].
    pull: what its regulariser does to its rows, whether or not a step reads them; None: nothing.
    """

    weight: tf.Variable
    pull: Pull | None = None
