"""Tables of normal distributions instead of numbers, so that rare rows stay near their prior."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

from components.model import randomness
from components.model.row_table import RowTable

INITIAL_SPREAD = 0.05


class Drawn(NamedTuple):
    """Some rows of a table, drawn.

    values: float32 [rows, columns].
    nats: float32 [rows], each row's Kullback-Leibler divergence from the prior.
    """

    values: tf.Tensor
    nats: tf.Tensor


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

    def by_row(self, strength: float) -> list[RowTable]:
        """The weights whose rows are the table's, pulled to the prior by a regulariser.

        `strength` is the factor of the divergence in the loss.
        """
        pulls = ((self.mean, self._pull_mean), (self.log_spread, self._pull_spread))
        return [RowTable(weight, partial(pull, strength)) for weight, pull in pulls]

    def _pull_mean(self, strength: float, mean: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        # The slope of the divergence is mean / prior**2.
        return mean * tf.exp(-strength * time / tf.exp(2.0 * self.log_prior))

    def _pull_spread(self, strength: float, log_spread: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        # Its slope is x - 1, where x is (spread / prior)**2: so x follows the logistic function.
        gap = tf.math.expm1(2.0 * (self.log_prior - log_spread))
        return self.log_prior - 0.5 * tf.math.log1p(gap * tf.exp(-2.0 * strength * time))

    def means(self) -> tf.Tensor:
        """The means of all rows: float32 [rows, columns]."""
        return tf.convert_to_tensor(self.mean)

    def draw(self, rows: tf.Tensor | None = None, noise: bool = True) -> Drawn:
        """Draws some rows, int32 [rows], or all of them; without noise each is its mean.

        From the divergence of some rows the prior alone has a gradient: what it does to the rows
        is their `pull`, in the steps that read them and in all others.
        """
        mean, log_spread = (
            tf.convert_to_tensor(weight) if rows is None else tf.gather(weight, rows)
            for weight in (self.mean, self.log_spread)
        )
        values = mean
        if noise:
            values += tf.exp(log_spread) * randomness.normal(tf.shape(mean))
        if rows is not None:
            mean, log_spread = tf.stop_gradient(mean), tf.stop_gradient(log_spread)
        return Drawn(values, self._nats(mean, log_spread))

    def _nats(self, mean: tf.Tensor, log_spread: tf.Tensor) -> tf.Tensor:
        ratio = tf.exp(2.0 * (log_spread - self.log_prior))
        pull = tf.square(mean) / tf.exp(2.0 * self.log_prior)
        nats = 0.5 * (ratio + pull - 1.0) + self.log_prior - log_spread
        return tf.reduce_sum(nats, 1)
