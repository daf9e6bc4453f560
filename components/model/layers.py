"""The building blocks of both towers: movie vectors, history events, history encoder."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.model import randomness
from components.model.context import Context
from components.model.facts import Facts
from components.model.parts import feature_means, of_movies, shown_rows
from components.model.row_table import RowTable

RATING_BUCKETS = 11  # enough to keep every step of 0.5-5, 1-5 and 0-10 apart


class MovieEmbedding(keras.layers.Layer):
    """A vector for the id and for each feature of every movie of the catalogue.

    A number's is that of its bucket and, beside it, as much of a learned direction as the number is
    away from train's mean: so the numbers of one bucket differ, and so do those beyond all others.

    Ids that training never saw share out-of-vocabulary rows. These learn from `id_dropout`: in
    training, that share of the catalogue is shown with its out-of-vocabulary row.
    """

    def __init__(
        self,
        dims: int,
        facts: Facts,
        id_dropout: float = 0.0,
        stddev: float = 0.05,
        name: str = "movies",
    ) -> None:
        """Builds the tables.

        Args:
          dims: width of a vector.
          facts: the catalogue, which says how many rows each table needs.
          id_dropout: share of movies that show their out-of-vocabulary row in training.
          stddev: spread of the initial ids' vectors.
        """
        super().__init__(name=name)
        self._id_dropout = id_dropout
        start = keras.initializers.RandomNormal(stddev=stddev)
        rows = facts.id_table_rows
        self.ids = self.add_weight(f"{name}/ids", [rows, dims], initializer=start)
        self.feature_tables = {
            key: self.add_weight(
                f"{name}/{key}", [int(index.max(initial=0)) + 1, dims], initializer="zeros"
            )
            for key, index in facts.features.items()
        }
        self.slopes = {
            key: self.add_weight(f"{name}/{key}/slope", [dims], initializer="zeros")
            for key in facts.normalised
        }

    def by_row(self) -> list[RowTable]:
        """The tables."""
        return [RowTable(table) for table in (self.ids, *self.feature_tables.values())]

    def parts(
        self, facts: Facts, movies: tf.Tensor | None = None, training: bool = False
    ) -> list[tf.Tensor]:
        """What the ids and features of some movies say: float32 [movies, dims] each, id first.

        Args:
          facts: the catalogue.
          movies: int32 [movies], rows of the catalogue (None: all).
          training: whether some ids are shown as unknown.
        """
        rows = shown_rows(facts, self._id_dropout if training else 0.0, movies)
        features = {
            name: feature_means(self.feature_tables[name], of_movies(index, movies))
            for name, index in facts.features.items()
        }
        for name, slope in self.slopes.items():
            features[name] += of_movies(facts.normalised[name], movies)[:, tf.newaxis] * slope
        return [tf.gather(self.ids, rows), *features.values()]


class EventEmbedding(keras.layers.Layer):
    """A history event: the movie's vector, scaled and shifted according to its rating.

    'Not rated' is a value of its own, the last row of both tables. Where every event of train is
    rated, that row has learned nothing, and an unrated event counts as rated with the mean.
    """

    def __init__(self, dims: int, facts: Facts, name: str = "events") -> None:
        super().__init__(name=name)
        self._facts, shape = facts, [RATING_BUCKETS + 1, dims]
        self.gain = self.add_weight(f"{name}/gain", shape, initializer="ones")
        self.shift = self.add_weight(f"{name}/shift", shape, initializer="zeros")

    def call(self, movies: tf.Tensor, ratings: tf.Tensor, rated: tf.Tensor) -> tf.Tensor:
        """Maps movies' vectors [batch, length, dims] to events.

        `ratings` float32 [batch, length]; `rated`, of the same shape, is 0 where there is none.
        """
        bucket = self._buckets(ratings, rated)
        return movies * tf.gather(self.gain, bucket) + tf.gather(self.shift, bucket)

    def _buckets(self, ratings: tf.Tensor, rated: tf.Tensor) -> tf.Tensor:
        facts = self._facts
        if not facts.rates:
            return tf.fill(tf.shape(ratings), RATING_BUCKETS)
        low, high = facts.ends
        if facts.counts.sum() == facts.rated_counts.sum():
            ratings, rated = tf.where(rated > 0, ratings, facts.mean), tf.ones_like(rated)
        share = (ratings - low) / (high - low)
        steps = tf.round(tf.clip_by_value(share, 0.0, 1.0) * (RATING_BUCKETS - 1))
        return tf.where(rated > 0, tf.cast(steps, tf.int32), RATING_BUCKETS)


class HistoryEncoder(keras.layers.Layer):
    """Reads a history into a query vector.

    Ordered: several decaying sums with learned half-lives, in which the newest events weigh most,
    go through a linear map and, beside it, a hidden layer. As a set: one plain sum goes through a
    linear map that starts as the identity, so that a query stays near its movies' own vectors.
    """

    HALF_LIVES = (1.0, 4.0, 16.0, 128.0)

    def __init__(
        self, dims: int, hidden: int, dropout: float, ordered: bool, name: str = "history"
    ) -> None:
        super().__init__(name=name)
        self._ordered = ordered
        self._dropout = dropout
        lives = np.log(self.HALF_LIVES if ordered else (1.0,)).astype(np.float32)
        if ordered:
            self.log_half_lives = self.add_weight(
                f"{name}/log_half_lives",
                lives.shape,
                initializer=keras.initializers.Constant(lives),
            )
            self._hidden = keras.layers.Dense(hidden, activation="gelu", name="hidden")
            self._direct = keras.layers.Dense(dims, use_bias=False, name="direct")
        start = "orthogonal" if ordered else keras.initializers.Identity()
        self._out = keras.layers.Dense(dims, use_bias=False, kernel_initializer=start, name="out")

    def call(self, events: tf.Tensor, context: Context, training: bool = False) -> tf.Tensor:
        """Encodes what each position may read.

        Args:
          events: float32 [batch, length, dims], those of the context's window.
          context: the positions.
          training: whether units are dropped.

        Returns:
          float32 [batch, positions, dims].
        """
        count = tf.reduce_sum(context.visible, -1, keepdims=True)
        if not self._ordered:
            pooled = tf.matmul(context.visible, events) / tf.sqrt(count + 1.0)
            return self._out(self._dropped(pooled, training))
        sums = self._decaying_sums(events, context)
        inputs = self._dropped(tf.concat([tf.math.log1p(count), *sums], -1), training)
        hidden = self._out(self._dropped(self._hidden(inputs), training))
        return hidden + self._direct(inputs)

    def _dropped(self, units: tf.Tensor, training: bool) -> tf.Tensor:
        return randomness.dropped(units, self._dropout) if training else units

    def _decaying_sums(self, events: tf.Tensor, context: Context) -> Iterator[tf.Tensor]:
        for i in range(len(self.HALF_LIVES)):
            rate = tf.exp(-np.log(2.0) * context.age / tf.exp(self.log_half_lives[i]))
            weight = context.visible * rate
            total = tf.reduce_sum(weight, -1, keepdims=True)
            yield tf.matmul(weight, events) / (total + 1.0)
