"""The linear path: how watching one movie changes the score of another, from counts of train."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

from components.model.context import Context


def closed_form(together: NDArray[Any], penalty: float) -> NDArray[Any]:
    """The item-to-item weights of EASE (Steck, 2019).

    Args:
      together: float32 [movies, movies], how many windows hold both; on the diagonal, the movie.
      penalty: of the weights' squares, in windows.

    Returns:
      float32 [movies, movies], from what was watched to what is scored, zeros on the diagonal.
    """
    inverse = np.linalg.inv(together + penalty * np.eye(len(together), dtype=together.dtype))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)


class LinearPath(keras.layers.Layer):
    """Scores movies by the sum, over the history, of item-to-item weights.

    A deep query generalises, a linear path remembers which movies go together (Shenbin and others,
    2020, found both better than either). It covers the most rated movies; others score 0.
    """

    def __init__(
        self, movies: int, covered: NDArray[Any], weights: NDArray[Any], name: str = "linear"
    ) -> None:
        """Builds the path; its scores are 0 until `set` gives them a share.

        Args:
          movies: how many the catalogue has.
          covered: int32 [covered], rows of the catalogue.
          weights: float32 [covered, covered], see `closed_form`.
          name: of the layer.
        """
        super().__init__(name=name)
        place = np.full(movies, len(covered), np.int32)
        place[covered] = np.arange(len(covered))
        self.covered, self._place = covered, place
        fixed = keras.initializers.Constant
        self.between = self.add_weight(
            f"{name}/between", weights.shape, initializer=fixed(weights), trainable=False
        )
        self.share = self.add_weight(f"{name}/share", [], initializer="zeros", trainable=False)
        self.half_life = self.add_weight(
            f"{name}/half_life", [], initializer=fixed(np.inf), trainable=False
        )

    def set(self, share: float, half_life: float) -> None:
        """Sets the factor of the path's scores, and after how many events an event counts half."""
        self.share.assign(share)
        self.half_life.assign(half_life)

    def call(self, context: Context) -> tf.Tensor:
        """Scores the catalogue with the share and half-life that were set: see `unweighted`."""
        return self.share * self.unweighted(context, self.half_life)

    def unweighted(self, context: Context, half_life: tf.Tensor | float) -> tf.Tensor:
        """Scores the catalogue.

        Args:
          context: at one position.
          half_life: after how many events one counts half.

        Returns:
          float32 [batch, movies].
        """
        scores = self._of_covered(context, half_life)
        return tf.gather(tf.pad(scores, [[0, 0], [0, 1]]), self._place, axis=1)

    def of_covered(self, context: Context) -> tf.Tensor:
        """What `call` gives of the movies that are covered, in the order of `covered`."""
        return self.share * self._of_covered(context, self.half_life)

    def around(self, movie: tf.Tensor) -> tf.Tensor:
        """What rows of the catalogue, int32 [batch], add to others, and others to them.

        Returns:
          float32 [batch, movies], 0 where the path does not cover both.
        """
        place = tf.gather(tf.constant(self._place), movie)
        own = tf.minimum(place, len(self.covered) - 1)
        both = tf.gather(self.between, own) + tf.transpose(tf.gather(self.between, own, axis=1))
        both = tf.where(place[:, tf.newaxis] < len(self.covered), both, 0.0)
        return tf.gather(tf.pad(both, [[0, 0], [0, 1]]), self._place, axis=1)

    def _of_covered(self, context: Context, half_life: tf.Tensor | float) -> tf.Tensor:
        movie, visible = context.window.movie, context.visible[:, 0]
        place = tf.gather(tf.constant(self._place), movie)
        weight = visible * tf.pow(0.5, context.age / half_life)
        events = tf.where((visible > 0) & (place < len(self.covered)))
        column = tf.cast(tf.gather_nd(place, events), tf.int64)
        history = tf.SparseTensor(
            tf.stack([events[:, 0], column], 1),
            tf.gather_nd(weight, events),
            [tf.shape(movie, tf.int64)[0], len(self.covered)],
        )
        return tf.sparse.sparse_dense_matmul(history, self.between)
