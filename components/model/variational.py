"""Tables of normal distributions instead of numbers, so that rare rows stay near their prior."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

INITIAL_SPREAD = 0.05


class VariationalTable(keras.layers.Layer):
    """Independent normal distributions; their prior, around zero, has a spread that is learned.

    The mean-field form of Blundell and others (2015): training sees the rows with noise, and the
    divergence from the prior holds back rows with little data. A row with many ratings becomes
    sharp; a row with few stays near the prior.
    """

    def __init__(
        self, start: NDArray[Any], prior: float | NDArray[Any], name: str = "table"
    ) -> None:
        """Builds the table.

        Args:
          start: float32 [rows, columns], the initial means.
          prior: the prior's initial standard deviation, or float32 [columns], one for each column.
          name: of the layer.
        """
        super().__init__(name=name)
        constant = keras.initializers.Constant
        self.mean = self.add_weight(f"{name}/mean", start.shape, initializer=constant(start))
        self.log_spread = self.add_weight(
            f"{name}/log_spread", start.shape, initializer=constant(np.log(INITIAL_SPREAD))
        )
        self.log_prior = self.add_weight(
            f"{name}/log_prior", start.shape[1:], initializer=constant(np.log(prior))
        )

    def rows(self, training: bool = False) -> tf.Tensor:
        """Returns float32 [rows, columns]: the means, or a draw in training."""
        if not training:
            return tf.convert_to_tensor(self.mean)
        return self.mean + tf.exp(self.log_spread) * tf.random.normal(tf.shape(self.mean))

    def divergence(self) -> tf.Tensor:
        """Kullback-Leibler divergence from the prior, summed over the table: nats, scalar."""
        ratio = tf.exp(2.0 * (self.log_spread - self.log_prior))
        pull = tf.square(self.mean) / tf.exp(2.0 * self.log_prior)
        return 0.5 * tf.reduce_sum(ratio + pull - 1.0) + tf.reduce_sum(
            self.log_prior - self.log_spread
        )
