"""Users as normal distributions, given the ratings that they gave before some moments."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Posteriors(NamedTuple):
    """What each rating head knows of users at some moments.

    precision: float32 [batch, heads, positions, width, width], in units of the noise's precision.
    evidence: float32 [batch, heads, positions, width], what the history adds to the prior mean,
      times the precision.
    prior: float32 [batch, heads, 1 or positions, width], the prior mean, from the users' features
      and what is known of the moment.
    features: what each of these features adds to it, float32 [batch, heads * width] each.
    asked: int32 [batch, 1 or positions, features], what is told of the moments: `Window.asked`.
    raters: int32 [batch], the users' rows among the raters; only where the users may be among the
      raters of what is predicted, as in training.
    """

    precision: tf.Tensor
    evidence: tf.Tensor
    prior: tf.Tensor
    features: list[tf.Tensor]
    asked: tf.Tensor
    raters: tf.Tensor | None = None

    def solve(self, *beside: tf.Tensor) -> list[tf.Tensor]:
        """Solves precision @ x = right for the evidence, and for what is given `beside` it.

        Returns:
          The solutions, float32 [batch, heads, positions, width] each, the evidence's first: how
          far the posterior means are from the prior ones.
        """
        return tf.unstack(solve(self.precision, tf.stack([self.evidence, *beside], -1)), axis=-1)


def solve(matrix: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Solves matrix @ x = right; x is NaN where the matrix holds a NaN or an infinity.

    TensorFlow's own op would end the process there, and with it the gate that refuses such a model.
    """
    sound = tf.reduce_all(tf.math.is_finite(matrix), [-2, -1], keepdims=True)
    eye = tf.eye(matrix.shape[-1])
    return tf.linalg.solve(tf.where(sound, matrix, eye), tf.where(sound, right, np.nan))
