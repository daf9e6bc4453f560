"""The rating head: movies are learned as distributions, users are solved for from their history."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.model import randomness
from components.model.context import Context
from components.model.facts import Facts
from components.model.interaction import NO_INTERACTION, Interaction
from components.model.moments import moment_parts
from components.model.parts import add_up, user_parts
from components.model.posteriors import Posteriors
from components.model.rated_movies import RatedMovies, shared_table
from components.model.row_table import RowTable
from components.model.tables import RatingTables
from components.model.users import UserEmbedding

USER_SPREAD, NOISE = 0.4, 0.6  # where learning starts, in standard deviations of train's ratings
HALF_LIVES = (8.0, 32.0, 128.0, 1024.0)  # events; how fast each head forgets, where order counts


class RatingHead(keras.layers.Layer):
    """Bayesian matrix factorisation whose users are read from their history.

    A rating is the mean, the movie's bias and the product of the movie's vector with the user's,
    whose first entry is the user's own bias. Given the movies, the user's vector has a normal
    posterior in closed form (Salakhutdinov and Mnih, 2008): it is solved for at every moment, so
    that no user is stored and a newcomer is served like all others. The movies' vectors are
    variational, and a movie is its id, its features and those who rated it in train: the two-sided
    SVD++ (Koren, 2008). Several heads are averaged.
    """

    def __init__(
        self, heads: int, dims: int, facts: Facts, id_dropout: float, ordered: bool,
        interaction: Interaction = NO_INTERACTION, name: str = "rating",
    ) -> None:  # fmt: skip
        """Builds the head.

        Args:
          heads: how many are averaged.
          dims: width of each head's movie vectors.
          facts: catalogue and train statistics.
          id_dropout: share of the catalogue shown as unknown in training.
          ordered: whether older events weigh less.
          interaction: what is added to every head's rating.
          name: of the layer.
        """
        super().__init__(name=name)
        self.heads, self.dims, self._ordered = heads, dims, ordered
        self._mean, self._deviation = facts.mean, float(np.sqrt(facts.variance))
        self.movies = RatedMovies(heads, dims, facts, id_dropout, name)
        self._unknown = [len(values) for values in facts.user_features.values()]
        self.profile = [
            shared_table(len(values) + 1, heads, dims, f"{name}/{key}")
            for key, values in facts.user_features.items()
        ]
        self.moments = [
            shared_table(len(values) + 1, heads, dims, f"{name}/{key}")
            for key, values in facts.asked.items()
        ]
        self._ages = facts.ages
        self.ages = [
            shared_table(len(names), heads, dims, f"{name}/{key}")
            for key, names in (facts.ages.names.items() if facts.ages is not None else ())
        ]
        self.log_spread = self._of_heads("user_spread", [USER_SPREAD])
        self.log_noise = self._of_heads("noise", [NOISE])
        if ordered:
            self.log_half_lives = self._of_heads("log_half_lives", HALF_LIVES)
        self.interaction = interaction

    def _of_heads(self, name: str, values: Sequence[float]) -> tf.Variable:
        """A number for each head, learned as its log; the heads take the `values` in turn."""
        start = np.resize(np.log(values), self.heads).astype(np.float32)
        start = keras.initializers.Constant(start)
        return self.add_weight(f"{self.name}/{name}", [self.heads], initializer=start)

    def by_row(self, caution: float) -> list[RowTable]:
        """The tables of movies, raters and movies' features: see `RatedMovies.by_row`."""
        return self.movies.by_row(caution)

    def tables(self, facts: Facts | None = None) -> RatingTables:
        """What each head knows of every movie.

        Other `facts` may stand in for those that the head was built with.
        """
        return self.movies.tables(facts, self.interaction)

    def drawn(self, movies: tf.Tensor, training: bool = True) -> RatingTables:
        """What a step knows of its movies: see `RatedMovies.drawn`."""
        return self.movies.drawn(movies, self.interaction, training)

    def divergence(self) -> tf.Tensor:
        """How far all that is not of single movies is from its prior, in nats.

        What is of movies comes with their tables, see `RatingTables.nats`.
        """
        own = [*self.profile, *self.moments, *self.ages, *self.movies.slopes.values()]
        profile = [tf.reduce_sum(table.draw(noise=False).nats) for table in own]
        return sum(profile) / self.heads + self.interaction.divergence()

    def posteriors(
        self,
        tables: RatingTables,
        context: Context,
        training: bool = False,
        raters: tf.Tensor | None = None,
    ) -> Posteriors:
        """What the rated events that each moment may read say of its user.

        Half of the users' features are shown as unknown in training, as in the query tower.
        `raters` int32 [batch], rows of the user table, are given where the users are known to have
        rated the targets in train.
        """
        context, window = context.rated(), context.window
        movies = tf.gather(tables.movies, window.movie)
        ratings = (window.rating - self._mean) / self._deviation
        residual = ratings[..., tf.newaxis] - movies[..., 0]
        basis = self._basis(movies)  # batch, heads, length, width
        weights = self._weights(context)
        prior, features = self._prior(window.user_features, training)
        unexplained = tf.transpose(residual, [0, 2, 1])[..., tf.newaxis]
        unexplained -= tf.reduce_sum(basis * prior, -1, keepdims=True)
        evidence = tf.matmul(weights, basis * unexplained)
        products = self._products(basis, weights, context.visible.shape[1] == 1)
        noise = tf.exp(self.log_noise)[:, tf.newaxis, tf.newaxis, tf.newaxis]
        precision = products + noise * tf.eye(1 + self.dims)
        if self.moments:
            prior += self._moment(window.asked, training)
        return Posteriors(precision, evidence, prior, features, window.asked, raters)

    def _moment(self, asked: tf.Tensor, training: bool) -> tf.Tensor:
        """What the moment adds to a user's vector: float32 [batch, heads, positions, width]."""
        tables = [table.draw(noise=training).values for table in self.moments]
        added = add_up([moment_parts(tables, asked, training)])
        shape = tf.shape(added)
        added = tf.reshape(added, [shape[0], shape[1], self.heads, 1 + self.dims])
        return tf.transpose(added, [0, 2, 1, 3])

    def _prior(self, features: tf.Tensor, training: bool) -> tuple[tf.Tensor, list[tf.Tensor]]:
        batch = tf.shape(features)[0]
        if training:
            shown = randomness.uniform([batch, 1]) >= UserEmbedding.ID_DROPOUT
            features = tf.where(shown, features, tf.constant(self._unknown, tf.int32))
        parts = user_parts([table.draw(noise=training).values for table in self.profile], features)
        prior = add_up([[tf.zeros([batch, self.heads * (1 + self.dims)]), *parts]])
        return tf.reshape(prior, [batch, self.heads, 1, 1 + self.dims]), parts

    def _products(self, basis: tf.Tensor, weights: tf.Tensor, single: bool) -> tf.Tensor:
        """Weighted sums of each event's outer product: [batch, heads, positions, width, width]."""
        if single:
            weighted = basis * weights[:, :, 0, :, tf.newaxis]
            return tf.matmul(weighted, basis, transpose_a=True)[:, :, tf.newaxis]
        shape, width = tf.shape(basis), 1 + self.dims
        outer = basis[..., tf.newaxis] * basis[..., tf.newaxis, :]
        sums = tf.matmul(weights, tf.reshape(outer, [shape[0], self.heads, shape[2], width**2]))
        return tf.reshape(sums, [shape[0], self.heads, tf.shape(sums)[2], width, width])

    def _basis(self, movies: tf.Tensor) -> tf.Tensor:
        """From [batch, length, heads, 1 + dims] to [batch, heads, length, 1 + dims].

        The first entry is what a user's bias is multiplied by.
        """
        vectors = tf.transpose(movies[..., 1:], [0, 2, 1, 3])
        spread = tf.exp(self.log_spread)[:, tf.newaxis, tf.newaxis]
        return tf.concat([spread * tf.ones_like(vectors[..., :1]), vectors], -1)

    def _weights(self, context: Context) -> tf.Tensor:
        if not self._ordered:
            return context.visible[:, tf.newaxis]
        lives = tf.exp(self.log_half_lives)[:, tf.newaxis, tf.newaxis]
        age = tf.expand_dims(context.age, -3)  # ahead of positions stand the heads
        return context.visible[:, tf.newaxis] * tf.exp(-np.log(2.0) * age / lives)

    def predict(self, tables: RatingTables, users: Posteriors, target: tf.Tensor) -> tf.Tensor:
        """Predicts on the data's scale, unclipped.

        Args:
          tables: what `tables` returned.
          users: at one position, or at as many as there are targets.
          target: int32 [batch, targets], rows of the catalogue.

        Returns:
          float32 [batch, targets].
        """
        movies = self._targets(tables, users, target)
        (solved,) = users.solve()
        taste = tf.reduce_sum(self._basis(movies) * (solved + users.prior), -1)
        rating = tf.transpose(taste, [0, 2, 1]) + movies[..., 0]
        term = self.interaction.rating(tables, solved, users.features, target)
        rating += term[..., tf.newaxis]
        return self._mean + self._deviation * tf.reduce_mean(rating, -1)

    def _targets(
        self, tables: RatingTables, users: Posteriors, target: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        if users.raters is None:
            rows = tf.gather(tables.movies, target)
        else:
            rows = self.movies.without_rater(tables, target, users.raters)
        if self._ages is None:
            return rows
        born = self._ages.all_born() if tables.born is None else tables.born
        found = self._ages.rows(users.asked[..., -1], tf.gather(born, target))
        for place, table in enumerate(self.ages):
            # The row behind the last is that of movies without a date, of whom nothing is said.
            values = tf.pad(table.draw(noise=training).values, [[0, 1], [0, 0]])
            rows += tf.reshape(tf.gather(values, found[..., place]), tf.shape(rows))
        return rows

    def loss(
        self,
        tables: RatingTables,
        users: Posteriors,
        target: tf.Tensor,
        rating: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """The heads' mean negative log likelihood of ratings: nats, float32 [batch, targets].

        The arguments are those of `predict`, and the true ratings, float32 [batch, targets].
        """
        movies = self._targets(tables, users, target, training)
        basis = self._basis(movies)
        solved, spread = users.solve(basis)
        taste = tf.reduce_sum(basis * (solved + users.prior), -1)
        doubt = 1.0 + tf.reduce_sum(basis * spread, -1)
        variance = tf.exp(self.log_noise)[:, tf.newaxis] * doubt
        wanted = ((rating - self._mean) / self._deviation)[..., tf.newaxis] - movies[..., 0]
        error = tf.transpose(wanted, [0, 2, 1]) - taste
        term = self.interaction.rating(tables, solved, users.features, target, training)
        error -= term[:, tf.newaxis]
        return 0.5 * tf.reduce_mean(tf.square(error) / variance + tf.math.log(variance), 1)
