"""The rating head: movies are learned as distributions, users are solved for from their history."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from components.model.crosses import CrossedRating, rating_parts
from components.model.facts import Facts
from components.model.rated_movies import RatedMovies, shared_table
from components.model.users import UserEmbedding
from components.model.window import Window

USER_SPREAD, NOISE = 0.4, 0.6  # where learning starts, in standard deviations of train's ratings
HALF_LIVES = (8.0, 32.0, 128.0, 1024.0)  # events; how fast each head forgets, where order counts


class RatingHistory(NamedTuple):
    """What a position may read of the user's history.

    movies: int32 [batch, length], rows of the catalogue.
    ratings: float32 [batch, length], on the data's scale.
    visible: float32 [batch, positions, length], 1 where a position may read an event's rating.
    age: float32 [positions, length] or [batch, positions, length], how many events ago.
    """

    movies: tf.Tensor
    ratings: tf.Tensor
    visible: tf.Tensor
    age: tf.Tensor

    @classmethod
    def of(cls, window: Window, visible: tf.Tensor, age: tf.Tensor) -> "RatingHistory":
        """The rated events among those that are visible."""
        rated = visible * window.rated[:, tf.newaxis]
        return cls(window.movie, window.rating, rated, age)


class Users(NamedTuple):
    """What the heads make of users at some moments.

    precision: float32 [batch, heads, positions, width, width], in shares of the noise.
    evidence: float32 [batch, heads, positions, width].
    prior: float32 [batch, heads, 1, width], what users of their kind are like.
    kinds: what each of their features adds to the prior, float32 [batch, heads * width] each.
    raters: int32 [batch], their rows among the raters, where they may be the target's; or none.
    """

    precision: tf.Tensor
    evidence: tf.Tensor
    prior: tf.Tensor
    kinds: list[tf.Tensor]
    raters: tf.Tensor | None = None


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
        cross_layers: int = 0, name: str = "rating",
    ) -> None:  # fmt: skip
        """Builds the head.

        Args:
          heads: how many are averaged.
          dims: width of each head's movie vectors.
          facts: catalogue and train statistics.
          id_dropout: share of the catalogue shown as unknown in training.
          ordered: whether older events weigh less.
          cross_layers: how many cross what is known of the user and of the movie; 0: none do.
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
        self.log_spread = self._of_heads("user_spread", [USER_SPREAD])
        self.log_noise = self._of_heads("noise", [NOISE])
        if ordered:
            self.log_half_lives = self._of_heads("log_half_lives", HALF_LIVES)
        parts, width = ["history", *facts.user_features, *facts.movie_parts], heads * (1 + dims)
        self.crosses: CrossedRating | None = None
        if cross_layers:
            self.crosses = CrossedRating(parts, width, cross_layers, f"{name}_crosses")

    def _of_heads(self, name: str, values: Sequence[float]) -> tf.Variable:
        """A number for each head, learned as its log; `values` are given out in turn."""
        start = np.resize(np.log(values), self.heads).astype(np.float32)
        start = keras.initializers.Constant(start)
        return self.add_weight(f"{self.name}/{name}", [self.heads], initializer=start)

    def tables(self, training: bool, facts: Facts | None = None) -> dict[str, tf.Tensor]:
        """Returns what each head knows of every movie: rating [movies, heads, 1 + dims].

        The first column is the movie's bias, the others its vector. In training, raters [users,
        heads, 1 + dims] has what each rater adds to their movies. Where parts are crossed,
        rating_parts [movies, parts, heads * (1 + dims)] has what id and features are apart. Other
        `facts` may stand in for those that the head was built with.
        """
        return self.movies.tables(training, facts, apart=self.crosses is not None)

    def divergence(self) -> tf.Tensor:
        """How far all tables are from their priors, in nats."""
        found = self.movies.divergence()
        found += sum(table.divergence() for table in self.profile)
        found /= self.heads
        return found if self.crosses is None else found + self.crosses.divergence()

    def users(
        self,
        tables: dict[str, tf.Tensor],
        history: RatingHistory,
        features: tf.Tensor,
        training: bool = False,
        raters: tf.Tensor | None = None,
    ) -> Users:
        """Gathers what each moment knows of its user.

        `features` int32 [batch, features] are rows of the user features' tables; half of the users
        are shown as unknown in training, as in the query tower. `raters` int32 [batch], rows of the
        user table, are given where the users are known to have rated the targets in train.
        """
        movies = tf.gather(tables["rating"], history.movies)
        ratings = (history.ratings - self._mean) / self._deviation
        residual = ratings[..., tf.newaxis] - movies[..., 0]
        basis = self._basis(movies)  # batch, heads, length, width
        weights = self._weights(history)
        prior, kinds = self._prior(features, training)
        unexplained = tf.transpose(residual, [0, 2, 1])[..., tf.newaxis]
        unexplained -= tf.reduce_sum(basis * prior, -1, keepdims=True)
        evidence = tf.matmul(weights, basis * unexplained)
        products = self._products(basis, weights, history.visible.shape[1] == 1)
        noise = tf.exp(self.log_noise)[:, tf.newaxis, tf.newaxis, tf.newaxis]
        return Users(products + noise * tf.eye(1 + self.dims), evidence, prior, kinds, raters)

    def _prior(self, features: tf.Tensor, training: bool) -> tuple[tf.Tensor, list[tf.Tensor]]:
        batch, kinds = tf.shape(features)[0], []
        prior = tf.zeros([batch, self.heads * (1 + self.dims)])
        if training:
            shown = tf.random.uniform([batch, 1]) >= UserEmbedding.ID_DROPOUT
            features = tf.where(shown, features, tf.constant(self._unknown, tf.int32))
        for i, table in enumerate(self.profile):
            kinds.append(tf.gather(table.rows(training), features[:, i]))
            prior += kinds[-1]
        return tf.reshape(prior, [batch, self.heads, 1, 1 + self.dims]), kinds

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

    def _weights(self, history: RatingHistory) -> tf.Tensor:
        if not self._ordered:
            return history.visible[:, tf.newaxis]
        lives = tf.exp(self.log_half_lives)[:, tf.newaxis, tf.newaxis]
        age = tf.expand_dims(history.age, -3)  # ahead of positions stand the heads
        return history.visible[:, tf.newaxis] * tf.exp(-np.log(2.0) * age / lives)

    def predict(self, tables: dict[str, tf.Tensor], users: Users, target: tf.Tensor) -> tf.Tensor:
        """Predicts on the data's scale, unclipped.

        Args:
          tables: what `tables` returned.
          users: at one position, or at as many as there are targets.
          target: int32 [batch, targets], rows of the catalogue.

        Returns:
          float32 [batch, targets].
        """
        movies = self._targets(tables, users, target)
        solved = solve(users.precision, users.evidence[..., tf.newaxis])[..., 0]
        taste = tf.reduce_sum(self._basis(movies) * (solved + users.prior), -1)
        rating = tf.transpose(taste, [0, 2, 1]) + movies[..., 0]
        if self.crosses is not None:
            parts = rating_parts(tables["rating_parts"], solved, users.kinds, target)
            rating += self.crosses(parts)[..., tf.newaxis]
        return self._mean + self._deviation * tf.reduce_mean(rating, -1)

    def _targets(self, tables: dict[str, tf.Tensor], users: Users, target: tf.Tensor) -> tf.Tensor:
        if users.raters is None:
            return tf.gather(tables["rating"], target)
        return self.movies.without_rater(tables, target, users.raters)

    def loss(
        self,
        tables: dict[str, tf.Tensor],
        users: Users,
        target: tf.Tensor,
        rating: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """How badly each head foresaw the ratings: nats, float32 [batch, targets]."""
        movies = self._targets(tables, users, target)
        basis = self._basis(movies)
        known = tf.stack([users.evidence, basis], -1)
        solved = solve(users.precision, known)
        taste = tf.reduce_sum(basis * (solved[..., 0] + users.prior), -1)
        doubt = 1.0 + tf.reduce_sum(basis * solved[..., 1], -1)
        variance = tf.exp(self.log_noise)[:, tf.newaxis] * doubt
        wanted = ((rating - self._mean) / self._deviation)[..., tf.newaxis] - movies[..., 0]
        error = tf.transpose(wanted, [0, 2, 1]) - taste
        if self.crosses is not None:
            parts = rating_parts(tables["rating_parts"], solved[..., 0], users.kinds, target)
            error -= self.crosses(parts, training=training)[:, tf.newaxis]
        return 0.5 * tf.reduce_mean(tf.square(error) / variance + tf.math.log(variance), 1)


def solve(matrix: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Solves matrix @ x = right; x is no number where the matrix holds what is none.

    TensorFlow's own op would end the process there, and with it the gate that refuses such a model.
    """
    sound = tf.reduce_all(tf.math.is_finite(matrix), [-2, -1], keepdims=True)
    eye = tf.eye(matrix.shape[-1])
    return tf.linalg.solve(tf.where(sound, matrix, eye), tf.where(sound, right, np.nan))
