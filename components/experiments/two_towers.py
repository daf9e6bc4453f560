"""The public tutorials' joint model, to compare with: what it knows of a user is the id."""

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras as keras

from components.model import randomness
from components.model.config import ModelConfig
from components.model.context import Context
from components.model.facts import Facts
from components.model.linear import LinearPath
from components.model.losses import weighted_mean
from components.model.row_table import RowTable
from components.model.tables import MovieTables
from components.model.window import Window


class IdEmbedding(keras.layers.Layer):
    """A row for every id; the last one is for the unknown."""

    def __init__(self, rows: int, dims: int, name: str) -> None:
        super().__init__(name=name)
        start = keras.initializers.RandomUniform()
        self.rows = self.add_weight(f"{name}/ids", [rows, dims], initializer=start)


class TwoTowers(tfrs.Model):
    """Two embeddings, their product for retrieval and a perceptron over both for ratings.

    As the TensorFlow Recommenders tutorials have it: softmax over the batch with no correction for
    popularity, summed over it, and the mean squared error beside it. It is a `Model` like
    `Recommender`, so that it is exported, judged and refused in the same way.
    """

    def __init__(self, config: ModelConfig, facts: Facts, ordered: bool) -> None:
        super().__init__()
        self.config, self.facts, self.ordered = config, facts, ordered
        self.linear: LinearPath | None = None
        self.users = IdEmbedding(len(facts.user_ids) + 1, config.dims, "users")
        self.movies = IdEmbedding(facts.id_table_rows, config.dims, "movies")
        layers = config.rating_layers if facts.rates else ()
        self._layers = [self._dense(units, f"rating_{place}") for place, units in enumerate(layers)]
        self._out = keras.layers.Dense(1, name="rating_out")

    def tasks(self) -> Mapping[str, Sequence[tf.Variable]]:
        """All weights under the joint loss: the tasks share the towers."""
        return {"valid_loss": self.variables}

    def averaged(self) -> Sequence[tf.Variable]:
        """None, as in the public tutorials."""
        return []

    def _dense(self, units: int, name: str) -> keras.layers.Dense:
        most = self.config.max_norm
        bound = keras.constraints.MaxNorm(most) if most else None
        return keras.layers.Dense(units, activation="relu", kernel_constraint=bound, name=name)

    def by_row(self) -> Sequence[RowTable]:
        """None: as in the public tutorials, a step updates every row."""
        return []

    def movie_tables(self, facts: Facts | None = None) -> MovieTables:
        """The movies' vectors, and zeros for their popularity.

        Other `facts` of as many movies may stand in for those that the model was built with.
        """
        vectors = tf.gather(self.movies.rows, (facts or self.facts).id_rows)
        return MovieTables(vectors, tf.zeros([len(self.facts.movie_ids)]))

    def query(self, tables: MovieTables, context: Context, training: bool = False) -> tf.Tensor:
        """Each user's vector, whatever the history: float32 [batch, 1, dims]."""
        return self._of_users(context.window)

    def _of_users(self, window: Window) -> tf.Tensor:
        return tf.gather(self.users.rows, window.user)[:, tf.newaxis]

    def rate(self, tables: MovieTables, context: Context, target: tf.Tensor) -> tf.Tensor:
        """Predicts ratings of `target` int32 [batch, targets], unclipped: float32, same shape."""
        if not self.facts.rates:
            raise ValueError("a model without ratings predicts none")
        return self._rate(tables, context.window, target)

    def _rate(
        self, tables: MovieTables, window: Window, target: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        movies = tf.gather(tables.vectors, target)
        users = tf.broadcast_to(self._of_users(window), tf.shape(movies))
        hidden = tf.concat([users, movies], -1)
        for layer in self._layers:
            hidden = layer(hidden)
            hidden = randomness.dropped(hidden, self.config.rating_dropout) if training else hidden
        return self._out(hidden)[..., 0]

    def compute_loss(self, inputs: Window, training: bool = False) -> tf.Tensor:
        """Returns the weighted sum of the tasks' losses, a scalar, over the windows' events."""
        event = tf.where(inputs.present > 0)
        user = tf.gather(inputs.user, event[:, 0])
        movie = tf.gather_nd(inputs.movie, event)
        tables, weights = self.movie_tables(), self.config
        loss = weights.retrieval_weight * self._batch_softmax(tables, user, movie)
        if not self.facts.rates:
            return loss
        each = inputs._replace(user=user)  # one row per event, of which the user alone is read
        predicted = self._rate(tables, each, movie[:, tf.newaxis], training)
        square = tf.square(predicted[:, 0] - tf.gather_nd(inputs.rating, event))
        error = weighted_mean(square, tf.gather_nd(inputs.rated, event))
        return loss + weights.rating_weight * error

    def _batch_softmax(self, tables: MovieTables, user: tf.Tensor, movie: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of each event's movie among those of the batch, summed over it."""
        query, chosen = tf.gather(self.users.rows, user), tf.gather(tables.vectors, movie)
        logits = tf.matmul(query, chosen, transpose_b=True)
        return tf.reduce_sum(
            tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=tf.range(tf.shape(logits)[0]), logits=logits
            )
        )
