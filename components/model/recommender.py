"""The joint model: a query tower, a movie tower, a retrieval head and a rating head."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras as keras

from components.model.config import ModelConfig
from components.model.crosses import CrossedSum
from components.model.facts import Facts
from components.model.layers import EventEmbedding, HistoryEncoder, MovieEmbedding
from components.model.linear import LinearPath
from components.model.losses import candidate_offset, softmax_loss, weighted_mean
from components.model.rating import RatingHead, RatingHistory
from components.model.users import UserEmbedding
from components.model.window import Window, before, hide, others, seen_movies


class Recommender(tfrs.Model):
    """Retrieves movies and predicts ratings from one reading of the user's history.

    Ordered (temporal splits), every event of a window is predicted from those before it. As a set
    (random splits), hidden movies are predicted from the rest, and each rating from all others.
    Where the facts hold no ratings it retrieves alone, and has no rating head.
    """

    def __init__(self, config: ModelConfig, facts: Facts, ordered: bool) -> None:
        super().__init__()
        self.config, self.facts, self.ordered = config, facts, ordered
        self.movies = MovieEmbedding(config.dims, facts, config.id_dropout)
        self.popularity = MovieEmbedding(1, facts, config.id_dropout, stddev=0.0, name="popularity")
        self.events = EventEmbedding(config.dims, facts)
        self.encoder = HistoryEncoder(config.dims, config.hidden, config.dropout, ordered)
        self.users = UserEmbedding(config.dims, facts)
        self.rating_head: RatingHead | None = None
        if facts.rates:
            self.rating_head = RatingHead(
                config.rating_heads, config.rating_dims, facts, config.id_dropout, ordered,
                config.rating_cross_layers,
            )  # fmt: skip
        self.movie_crosses = self._crosses("movie_crosses", facts.movie_parts)
        self.query_crosses = self._crosses("query_crosses", ["history", *facts.user_parts])
        self.linear: LinearPath | None = None  # added when all else is trained
        self._drop_event = keras.layers.Dropout(config.dropout, noise_shape=(None, None, 1))

    def _crosses(self, name: str, parts: Sequence[str]) -> CrossedSum | None:
        layers = self.config.cross_layers
        return CrossedSum(parts, self.config.dims, layers, name) if layers else None

    def parts(self) -> dict[str, list[tf.Variable]] | None:
        """The variables of each task, by the loss on valid that chooses their epoch.

        The heads share no weights, so that neither has to stop where the other one does.
        """
        if self.rating_head is None:
            return {"valid_retrieval": self.variables}
        rating = self.rating_head.variables
        own = {variable.ref() for variable in rating}
        rest = [variable for variable in self.variables if variable.ref() not in own]
        return {"valid_retrieval": rest, "valid_rating": rating}

    def averaged(self) -> list[tf.Variable]:
        """The weights that are better averaged: the rating head's, best while still in motion.

        Those of retrieval are best at the end, when the learning rate has brought them to rest.
        """
        return list(self.rating_head.trainable_variables) if self.rating_head is not None else []

    def movie_tables(
        self, training: bool = False, facts: Facts | None = None
    ) -> dict[str, tf.Tensor]:
        """Returns what is known of every movie: vectors [movies, dims], popularity [movies].

        Other `facts` of as many movies show what the model would make of them if these were true.
        """
        facts = facts or self.facts
        tables = {
            "vectors": self._vectors(facts, training),
            "popularity": self.popularity.vectors(facts, training)[:, 0] + facts.log_popularity,
        }
        if self.rating_head is None:
            return tables
        return {**tables, **self.rating_head.tables(training, facts)}

    def _vectors(self, facts: Facts, training: bool) -> tf.Tensor:
        if self.movie_crosses is None:
            return self.movies.vectors(facts, training)
        return self.movie_crosses(self.movies.parts(facts, training))

    def query(
        self,
        tables: dict[str, tf.Tensor],
        window: Window,
        visible: tf.Tensor,
        age: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Encodes users at some moments: float32 [batch, positions, dims].

        `visible` [batch, positions, length] and `age`, the same or without batch, say what each
        position may read of the window and how old it is.
        """
        if self.query_crosses is not None:
            return self.query_crosses(self.query_parts(tables, window, visible, age, training))
        history = self._history(tables, window, visible, age, training)
        user = self.users(window.user, window.user_features, training=training)
        return history + user[:, tf.newaxis]

    def query_parts(
        self,
        tables: dict[str, tf.Tensor],
        window: Window,
        visible: tf.Tensor,
        age: tf.Tensor,
        training: bool = False,
    ) -> list[tf.Tensor]:
        """Returns what `query` is made of, history first: [batch, positions, dims] each."""
        history = self._history(tables, window, visible, age, training)
        said = self.users.parts(window.user, window.user_features, training)
        return [history, *(tf.broadcast_to(x[:, tf.newaxis], tf.shape(history)) for x in said)]

    def _history(
        self,
        tables: dict[str, tf.Tensor],
        window: Window,
        visible: tf.Tensor,
        age: tf.Tensor,
        training: bool,
    ) -> tf.Tensor:
        movies = tf.gather(tables["vectors"], window.movie)
        events = self._drop_event(
            self.events(movies, window.rating, window.rated), training=training
        )
        return self.encoder(events, visible, age, training=training)

    def rate(
        self,
        tables: dict[str, tf.Tensor],
        window: Window,
        target: tf.Tensor,
        visible: tf.Tensor,
        age: tf.Tensor,
    ) -> tf.Tensor:
        """Predicts ratings on the data's scale, unclipped: float32, the shape of `target`.

        `target` int32 [batch, targets] are rows of the catalogue; `visible` holds one position for
        all of them, or one for each.
        """
        head, history = self._head, RatingHistory.of(window, visible, age)
        return head.predict(tables, head.users(tables, history, window.user_features), target)

    @property
    def _head(self) -> RatingHead:
        if self.rating_head is None:
            raise ValueError("a model without ratings predicts none")
        return self.rating_head

    def compute_loss(self, inputs: Window, training: bool = False) -> tf.Tensor:
        """Returns the weighted sum of the tasks' losses, a scalar.

        Both count in nats per target, ratings in standard deviations of train's: so the weights
        mean the same at any batch size and on any rating scale.
        """
        weights, losses = self.config, self.losses_per_task(inputs, training)
        loss = weights.retrieval_weight * losses["retrieval"]
        return loss + weights.rating_weight * losses["rating"] if "rating" in losses else loss

    def losses_per_task(self, window: Window, training: bool) -> dict[str, tf.Tensor]:
        """Returns the mean loss of each task over the window's targets."""
        tables = self.movie_tables(training)
        losses = {"retrieval": self._retrieval_loss(tables, window, training)}
        if self.rating_head is not None:
            losses["rating"] = self._rating_loss(tables, window, training)
        return losses

    def _rating_loss(
        self, tables: dict[str, tf.Tensor], window: Window, training: bool
    ) -> tf.Tensor:
        visible, age = (before if self.ordered else others)(window)
        head, history = self._head, RatingHistory.of(window, visible, age)
        raters = window.user if training else None
        users = head.users(tables, history, window.user_features, training, raters)
        nats = head.loss(tables, users, window.movie, window.rating, training)
        caution = self.config.rating_caution / max(float(self.facts.rated_counts.sum()), 1.0)
        return weighted_mean(nats, window.rated) + caution * head.divergence()

    def _retrieval_loss(
        self, tables: dict[str, tf.Tensor], window: Window, training: bool
    ) -> tf.Tensor:
        if self.ordered:
            visible, age = before(window)
            weights = window.present
        else:
            weights = hide(window.present, self.config.hidden_share)
            visible = (window.present - weights)[:, tf.newaxis]
            age = tf.zeros([1, tf.shape(window.movie)[1]])
        query = self.query(tables, window, visible, age, training)
        return weighted_mean(self._softmax(tables, query, window), weights)

    def _softmax(self, tables: dict[str, tf.Tensor], query: tf.Tensor, window: Window) -> tf.Tensor:
        target = tf.gather(tables["vectors"], window.movie)
        chosen = tf.reduce_sum(query * target, -1) + tf.gather(tables["popularity"], window.movie)
        drawn, log_rates = self._candidates()
        vectors = tf.gather(tables["vectors"], drawn)
        watched = seen_movies(window, len(self.facts.movie_ids))
        offset = candidate_offset(
            tf.gather(tables["popularity"], drawn), tf.gather(watched, drawn, axis=1), log_rates
        )
        logits = tf.einsum("btd,md->btm", query, vectors)
        return softmax_loss(chosen, logits, offset)

    def _candidates(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Draws the softmax's movies: the most popular ones always, the others now and then.

        The softmax's mass lies with the popular movies; drawing uniformly only among the rest keeps
        the estimate's variance low.

        Returns:
          Rows int32 [candidates], and the log of how often each is expected, float32 [candidates].
        """
        movies, most = len(self.facts.movie_ids), self.config.max_softmax
        by_popularity = np.argsort(-self.facts.counts, kind="stable").astype(np.int32)
        if movies <= most:
            return tf.constant(by_popularity), tf.zeros([movies])
        head, rest = by_popularity[: most // 2], by_popularity[most // 2 :]
        draws = most - len(head)
        tail = tf.gather(rest, tf.random.uniform([draws], maxval=len(rest), dtype=tf.int32))
        rates = np.zeros(most, np.float32)
        rates[len(head) :] = np.log(draws / len(rest))
        return tf.concat([head, tail], 0), tf.constant(rates)
