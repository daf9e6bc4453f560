"""The rating head: biases, what similar movies were given, and an interaction."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

from components.model.layers import MovieEmbedding

SHRINK = (2.0, 8.0, 32.0)  # ratings' worth of doubt in a user's running mean
RECENT_HALF_LIFE = 8.0  # events


class RatingHistory(NamedTuple):
    """What a position may read of the user's history.

    movies: int32 [batch, length], rows of the catalogue.
    ratings: float32 [batch, length], on the data's scale.
    visible: float32 [batch, positions, length], 1 where a position may read an event.
    age: float32 [positions, length], how many events ago.
    """

    movies: tf.Tensor
    ratings: tf.Tensor
    visible: tf.Tensor
    age: tf.Tensor


class RatingHead(keras.layers.Layer):
    """Predicts a rating from the movie's bias, the user's residuals and their interaction.

    The two-sided form of SVD++ (Koren, 2008): the user is what they rated and how far from each
    movie's mean, so that no user id is needed. Attention from the target movie over the history
    adds the residuals of similar movies.
    """

    def __init__(
        self,
        dims: int,
        movie_tables: Mapping[str, Any],
        movie_means: NDArray[Any],
        mean: float,
        id_dropout: float,
        dropout: float,
        ordered: bool,
        name: str = "rating",
    ) -> None:
        """Builds the head.

        Args:
          dims: width of the movies' rating vectors.
          movie_tables: `MovieEmbedding`'s id_rows, oov_rows and features.
          movie_means: float32 [movies], shrunken mean residual of each movie in train.
          mean: the train ratings' mean.
          id_dropout, dropout: as in the model's configuration.
          ordered: whether older events weigh less.
        """
        super().__init__(name=name)
        self._mean, self._ordered = mean, ordered
        self._movie_means = movie_means.astype(np.float32)
        shared: dict[str, Any] = {"id_dropout": id_dropout, **movie_tables}
        self.bias = MovieEmbedding(1, **shared, stddev=0.0, name="bias")
        self.keys = MovieEmbedding(dims, **shared, name="keys")
        self.values = MovieEmbedding(dims, **shared, name="values")
        self.targets = MovieEmbedding(dims, **shared, name="targets")
        self.sharpness = self.add_weight(
            "sharpness", [], initializer=keras.initializers.Constant(1)
        )
        self._mix = keras.layers.Dense(32, activation="gelu")
        self._out = keras.layers.Dense(1, kernel_initializer="zeros")
        self._linear = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        self._dropout = keras.layers.Dropout(dropout)

    def tables(self, training: bool) -> dict[str, tf.Tensor]:
        """Returns the per-movie tables: bias [movies], keys, values, targets [movies, dims]."""
        return {
            "bias": self.bias.vectors(training)[:, 0] + self._movie_means,
            "keys": self.keys.vectors(training),
            "values": self.values.vectors(training),
            "targets": self.targets.vectors(training),
        }

    def call(
        self,
        tables: Mapping[str, tf.Tensor],
        target: tf.Tensor,
        history: RatingHistory,
        training: bool = False,
    ) -> tf.Tensor:
        """Predicts on the data's scale, unclipped.

        Args:
          tables: what `tables` returned.
          target: int32 [batch, positions], rows of the catalogue.
          history: what each position may read.
          training: whether dropout is on.

        Returns:
          float32 [batch, positions].
        """
        bias = tf.gather(tables["bias"], target)
        past = tf.gather(tables["bias"], history.movies)
        residual = history.ratings - self._mean - past
        users, count = self._user_means(residual, history)
        level = users[..., 1]
        centred = residual[:, tf.newaxis] - level[..., tf.newaxis]
        similar = self._attend(tables, target, history, centred)
        taste = self._taste(tables, centred, history, count, training)
        match = tf.reduce_sum(taste * tf.gather(tables["targets"], target), -1)
        signals = tf.concat(
            [users, tf.stack([similar, match, bias, tf.math.log1p(count) - 3.0], -1)], -1
        )
        learned = self._out(self._mix(signals)) + self._linear(signals)
        return self._mean + bias + level + match + learned[..., 0]

    def _user_means(
        self, residual: tf.Tensor, history: RatingHistory
    ) -> tuple[tf.Tensor, tf.Tensor]:
        total = tf.linalg.matvec(history.visible, residual)
        count = tf.reduce_sum(history.visible, -1)
        means = [total / (count + doubt) for doubt in SHRINK]
        if self._ordered:
            recent = history.visible * tf.pow(0.5, history.age / RECENT_HALF_LIFE)
            means.append(tf.linalg.matvec(recent, residual) / (tf.reduce_sum(recent, -1) + 2.0))
        return tf.stack(means, -1), count

    def _attend(
        self,
        tables: Mapping[str, tf.Tensor],
        target: tf.Tensor,
        history: RatingHistory,
        centred: tf.Tensor,
    ) -> tf.Tensor:
        ask = tf.gather(tables["keys"], target)
        keys = tf.gather(tables["keys"], history.movies)
        closeness = tf.matmul(ask, keys, transpose_b=True) * self.sharpness
        weight = tf.exp(tf.clip_by_value(closeness, -8.0, 8.0)) * history.visible
        return tf.reduce_sum(weight * centred, -1) / (tf.reduce_sum(weight, -1) + 4.0)

    def _taste(
        self,
        tables: Mapping[str, tf.Tensor],
        centred: tf.Tensor,
        history: RatingHistory,
        count: tf.Tensor,
        training: bool,
    ) -> tf.Tensor:
        values = tf.gather(tables["values"], history.movies)
        taste = tf.matmul(centred * history.visible, values) / tf.sqrt(count + 4.0)[..., None]
        return self._dropout(taste, training=training)
