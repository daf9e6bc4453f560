"""What the rating head knows of every movie: its id, its features and its raters."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

from components.model.facts import Facts
from components.model.interaction import Interaction
from components.model.parts import add_up, movie_parts, shown_rows
from components.model.tables import RatingTables
from components.model.variational import VariationalTable

# Standard deviations where learning starts, in those of the train ratings.
VECTOR_PRIOR, BIAS_PRIOR, SHARED_PRIOR = 0.15, 0.6, 0.1


class RatedMovies(keras.layers.Layer):
    """A row for every movie and head, its bias first and then its vector, from three tables.

    A movie is its id, the mean of its features' values and, as in the two-sided SVD++ (Koren,
    2008), the sum of its raters over the root of their number.
    """

    def __init__(self, heads: int, dims: int, facts: Facts, id_dropout: float, name: str) -> None:
        """Builds the tables; the arguments are those of `RatingHead`."""
        super().__init__(name=f"{name}_movies")
        self.heads, self.dims = heads, dims
        self._facts, self._id_dropout = facts, id_dropout
        priors = np.full([heads, 1 + dims], VECTOR_PRIOR, np.float32)
        priors[:, 0] = BIAS_PRIOR
        self.ids = VariationalTable(self._starting_ids(), priors.ravel(), name=f"{name}/ids")
        self.features = {
            key: shared_table(int(rows.max(initial=0)) + 1, heads, dims, f"{name}/{key}")
            for key, rows in facts.features.items()
        }
        rng = np.random.default_rng(0)
        start = rng.normal(0, 0.01, [len(facts.user_ids), heads * (1 + dims)]).astype(np.float32)
        self.raters = VariationalTable(start, SHARED_PRIOR, name=f"{name}/raters")

    def _starting_ids(self) -> NDArray[Any]:
        facts, rng = self._facts, np.random.default_rng(0)
        rows = facts.id_table_rows
        start = rng.normal(0, VECTOR_PRIOR / 2, [rows, self.heads, 1 + self.dims])
        start[..., 0] = 0
        deviation = float(np.sqrt(facts.variance))
        start[facts.id_rows, :, 0] = facts.movie_bias[:, np.newaxis] / deviation
        return start.reshape(rows, -1).astype(np.float32)

    def tables(self, training: bool, facts: Facts | None, interaction: Interaction) -> RatingTables:
        """What is known of movies with the ids, features and raters of `facts` (default: the own).

        In training the rows are draws, and the table of raters comes with them.
        """
        facts = facts or self._facts
        parts = self._parts(facts, training)
        rows, raters = add_up([parts]), self.raters.rows(training)
        if len(facts.raters.movie):
            rows += tf.sparse.sparse_dense_matmul(_raters(facts), raters)
        return RatingTables(
            self._by_head(rows),
            self._by_head(raters) if training else None,
            interaction.movie_table(parts),
        )

    def _parts(self, facts: Facts, training: bool) -> list[tf.Tensor]:
        id_rows = shown_rows(facts, self._id_dropout if training else 0.0)
        ids = self.ids.rows(training)
        features = {name: self.features[name].rows(training) for name in facts.features}
        return movie_parts(facts, id_rows, ids, features)

    def _by_head(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.reshape(rows, [-1, self.heads, 1 + self.dims])

    def divergence(self) -> tf.Tensor:
        """How far the tables are from their priors, in nats."""
        tables = [self.ids, self.raters, *self.features.values()]
        return tf.add_n([table.divergence() for table in tables])

    def without_rater(self, tables: RatingTables, target: tf.Tensor, rater: tf.Tensor) -> tf.Tensor:
        """The targets' rows as if the user had not rated them.

        In training the user is among the raters of every target, in serving of none: left in,
        every target would carry a mark that no movie carries in serving.

        Args:
          tables: what `tables` returned in training.
          target: int32 [batch, targets], rows of the catalogue.
          rater: int32 [batch], the users' rows of the user table.

        Returns:
          float32 [batch, targets, heads, 1 + dims].
        """
        known = tf.minimum(rater, len(self._facts.user_ids) - 1)
        own = tf.gather(tables.raters, known)[:, tf.newaxis]
        share = _rater_share(self._facts, target, rater)[..., tf.newaxis, tf.newaxis]
        return tf.gather(tables.movies, target) - share * own


def shared_table(rows: int, heads: int, dims: int, name: str) -> VariationalTable:
    """A table of what many movies or users have in common; all its means start at zero."""
    start = np.zeros([rows, heads * (1 + dims)], np.float32)
    return VariationalTable(start, SHARED_PRIOR, name=name)


def _raters(facts: Facts) -> tf.SparseTensor:
    raters = facts.raters
    index = np.stack([raters.movie, raters.user], 1).astype(np.int64)
    return tf.SparseTensor(index, raters.weight, [len(facts.movie_ids), len(facts.user_ids)])


def _rater_share(facts: Facts, target: tf.Tensor, user: tf.Tensor) -> tf.Tensor:
    """The user's weight among each target's raters: float32 [batch, targets], 0 if it is none.

    `target` int32 [batch, targets] are rows of the catalogue, `user` int32 [batch] of the user
    table.
    """
    raters, users = facts.raters, len(facts.user_ids) + 1
    if not len(raters.movie):
        return tf.zeros(tf.shape(target))
    pairs = tf.constant(raters.movie.astype(np.int64) * users + raters.user)
    asked = tf.cast(target, tf.int64) * users + tf.cast(user, tf.int64)[:, tf.newaxis]
    place = tf.searchsorted(pairs, tf.reshape(asked, [-1]))
    place = tf.reshape(tf.minimum(place, len(raters.movie) - 1), tf.shape(asked))
    found = tf.gather(pairs, place) == asked
    return tf.where(found, tf.gather(tf.constant(raters.weight), place), 0.0)
