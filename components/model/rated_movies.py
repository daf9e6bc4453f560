"""What the rating head knows of every movie: its id, its features and its raters."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

from components.model.facts import Facts
from components.model.interaction import Interaction
from components.model.parts import add_up, feature_means, of_movies, shown_rows
from components.model.raters import keys, own_part, pairs_of, summed
from components.model.row_table import RowTable
from components.model.tables import RatersOf, RatingTables
from components.model.variational import VariationalTable

# Standard deviations where learning starts, in those of the train ratings.
VECTOR_PRIOR, BIAS_PRIOR, SHARED_PRIOR = 0.1, 0.6, 0.1


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
        self.slopes = {
            key: shared_table(1, heads, dims, f"{name}/{key}/slope") for key in facts.normalised
        }
        rng = np.random.default_rng(0)
        start = rng.normal(0, 0.01, [len(facts.user_ids), heads * (1 + dims)]).astype(np.float32)
        self.raters = VariationalTable(start, SHARED_PRIOR, name=f"{name}/raters")
        self._shares = shares(facts, id_dropout)

    def _starting_ids(self) -> NDArray[Any]:
        facts, rng = self._facts, np.random.default_rng(0)
        rows = facts.id_table_rows
        start = rng.normal(0, VECTOR_PRIOR / 2, [rows, self.heads, 1 + self.dims])
        start[..., 0] = 0
        deviation = float(np.sqrt(facts.variance))
        start[facts.id_rows, :, 0] = facts.movie_bias[:, np.newaxis] / deviation
        return start.reshape(rows, -1).astype(np.float32)

    def by_row(self, caution: float) -> list[RowTable]:
        """All tables; `caution` is the factor of the heads' mean divergence in the loss."""
        tables = (self.ids, self.raters, *self.features.values())
        return [row for table in tables for row in table.by_row(caution / self.heads)]

    def tables(self, facts: Facts | None, interaction: Interaction) -> RatingTables:
        """What is known of all movies, with ids, features and raters of `facts` (default: own)."""
        facts = facts or self._facts
        parts = [tf.gather(self.ids.means(), facts.id_rows)]
        for name, index in facts.features.items():
            own = feature_means(self.features[name].means(), tf.constant(index))
            parts.append(self._sloped(own, facts, name))
        rows = add_up([parts])
        if len(facts.raters.movie):
            pairs = pairs_of(facts, None)
            rows += summed(pairs, pairs.user, self.raters.means(), tf.shape(rows)[0])
        born = None if facts.ages is None else facts.ages.all_born()
        return RatingTables(self._by_head(rows), interaction.movie_table(parts), born=born)

    def drawn(
        self, movies: tf.Tensor, interaction: Interaction, training: bool = True
    ) -> RatingTables:
        """What a step knows of its movies, int32 [movies], ascending; in training it is drawn."""
        facts = self._facts
        shown = shown_rows(facts, self._id_dropout if training else 0.0, movies)
        # Movies that are shown as the same unknown one are one draw, as they are one row.
        distinct, place = tf.unique(shown)
        ids = self.ids.draw(distinct, training)
        parts = [tf.gather(ids.values, place)]
        nats = tf.gather(ids.nats * tf.gather(self._shares.ids, distinct), place)
        for name, index in facts.features.items():
            values, own = self._feature(name, of_movies(index, movies), training)
            parts.append(self._sloped(values, facts, name, movies, training))
            nats += own
        rows, raters = add_up([parts]), None
        if len(facts.raters.movie):
            raters, added, own = self._raters(movies, training)
            rows, nats = rows + added, nats + own
        born = None if facts.ages is None else tf.gather(facts.ages.all_born(), movies)
        return RatingTables(self._by_head(rows), interaction.movie_table(parts), raters, nats, born)

    def _feature(self, name: str, index: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """What a feature says of movies, given their values' rows, and its share of their nats."""
        present = index >= 0
        rows, place = tf.unique(tf.boolean_mask(index, present))
        drawn = self.features[name].draw(rows, training)
        local = tf.tensor_scatter_nd_update(index, tf.where(present), place)
        own = drawn.nats * tf.gather(self._shares.features[name], rows)
        both = tf.pad(tf.concat([drawn.values, own[:, tf.newaxis]], 1), [[0, 1], [0, 0]])
        means = feature_means(both, local)
        number = tf.reduce_sum(tf.cast(present, tf.float32), 1)
        return means[:, :-1], means[:, -1] * number

    def _sloped(
        self, values: tf.Tensor, facts: Facts, name: str, movies: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:  # fmt: skip
        """What a feature says of movies, float32 [movies, width], with a number's own value."""
        if name not in self.slopes:
            return values
        slope = self.slopes[name].draw(noise=training).values
        return values + of_movies(facts.normalised[name], movies)[:, tf.newaxis] * slope

    def _raters(self, movies: tf.Tensor, training: bool) -> tuple[RatersOf, tf.Tensor, tf.Tensor]:
        """The movies' raters, what they add, and their share of the movies' nats."""
        pairs = pairs_of(self._facts, movies)
        users, place = tf.unique(pairs.user)
        drawn, number = self.raters.draw(users, training), tf.shape(movies)[0]
        own = drawn.nats * tf.gather(self._shares.raters, users)
        nats = tf.math.unsorted_segment_sum(tf.gather(own, place), pairs.place, number)
        found = RatersOf(
            tf.pad(keys(pairs, self._facts), [[0, 1]], constant_values=tf.int64.max),
            tf.pad(pairs.weight, [[0, 1]]),
            tf.pad(place, [[0, 1]]),
            drawn.values,
        )
        return found, summed(pairs, place, drawn.values, number), nats

    def _by_head(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.reshape(rows, [-1, self.heads, 1 + self.dims])

    def without_rater(self, tables: RatingTables, target: tf.Tensor, rater: tf.Tensor) -> tf.Tensor:
        """The targets' rows as if the user had not rated them.

        In training the user is among the raters of every target, in serving of none: left in,
        every target would carry a mark that no movie carries in serving.

        Args:
          tables: what `drawn` returned.
          target: int32 [batch, targets], places among its movies.
          rater: int32 [batch], the users' rows of the user table.

        Returns:
          float32 [batch, targets, heads, 1 + dims].
        """
        rows = tf.gather(tables.movies, target)
        if tables.raters is None:
            return rows
        own = own_part(tables.raters, self._facts, target, rater)
        return rows - tf.reshape(own, tf.shape(rows))


class Shares(NamedTuple):
    """One over the number of train's ratings that show each row; 0 where none does.

    ids: float32 [rows].
    features: by name, float32 [values].
    raters: float32 [users].
    """

    ids: NDArray[Any]
    features: Mapping[str, NDArray[Any]]
    raters: NDArray[Any]


def shares(facts: Facts, id_dropout: float) -> Shares:
    """Divides the divergence of rows among the ratings of train: an epoch counts it once.

    A step then counts the divergence of the rows that it reads, and of no other.
    """
    counts, raters = facts.rated_counts, facts.raters
    ids = np.zeros(facts.id_table_rows)
    np.add.at(ids, facts.id_rows, (1.0 - id_dropout) * counts)
    np.add.at(ids, facts.oov_rows, id_dropout * counts)
    features = {}
    for name, index in facts.features.items():
        movie, place = np.nonzero(index >= 0)
        features[name] = np.bincount(
            index[movie, place], counts[movie], minlength=int(index.max(initial=0)) + 1
        )
    users = np.bincount(raters.user, counts[raters.movie], minlength=len(facts.user_ids))
    return Shares(_one_over(ids), {n: _one_over(f) for n, f in features.items()}, _one_over(users))


def _one_over(counts: NDArray[Any]) -> NDArray[Any]:
    return np.divide(1.0, counts, out=np.zeros(len(counts)), where=counts > 0).astype(np.float32)


def shared_table(rows: int, heads: int, dims: int, name: str) -> VariationalTable:
    """A table of what many movies or users have in common; all its means start at zero."""
    start = np.zeros([rows, heads * (1 + dims)], np.float32)
    return VariationalTable(start, SHARED_PRIOR, name=name)
