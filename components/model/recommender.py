"""The joint model: a query tower, a movie tower, a retrieval head and a rating head."""

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tensorflow_recommenders as tfrs

from components.model import randomness
from components.model.config import ModelConfig
from components.model.context import Context, before, hide, others, without
from components.model.facts import Facts
from components.model.interaction import NO_INTERACTION, Interaction
from components.model.layers import EventEmbedding, HistoryEncoder, MovieEmbedding
from components.model.linear import LinearPath
from components.model.losses import draw_candidates, log_sum_exp, softmax_loss, weighted_mean
from components.model.moments import MomentEmbedding
from components.model.parts import Combination, add_up, of_movies
from components.model.rating import RatingHead
from components.model.row_table import RowTable
from components.model.seen import seen_movies
from components.model.tables import MovieTables, RatingTables
from components.model.users import UserEmbedding
from components.model.window import Window, narrowed


class Recommender(tfrs.Model):
    """Retrieves movies and predicts ratings from one reading of the user's history.

    Ordered (temporal splits), every event of a window is predicted from those before it. As a set
    (random splits), hidden movies are predicted from the rest, and each rating from all others.
    Where the facts hold no ratings it retrieves alone, and has no rating head.
    """

    def __init__(
        self,
        config: ModelConfig,
        facts: Facts,
        ordered: bool,
        combine_movie: Combination = add_up,
        combine_query: Combination = add_up,
        interaction: Interaction = NO_INTERACTION,
    ) -> None:
        """Builds the model; its first loss makes the weights.

        Args:
          config: sizes and weights of the losses.
          facts: vocabularies, catalogue and train statistics.
          ordered: whether the order of events means something.
          combine_movie: makes a movie's vector of its id and features.
          combine_query: makes a query of the history, and of the user's id and features.
          interaction: what the rating head adds to its ratings.
        """
        super().__init__()
        self.config, self.facts, self.ordered = config, facts, ordered
        self.movies = MovieEmbedding(config.dims, facts, config.id_dropout)
        self.popularity = MovieEmbedding(1, facts, config.id_dropout, stddev=0.0, name="popularity")
        self.events = EventEmbedding(config.dims, facts)
        self.encoder = HistoryEncoder(config.dims, config.hidden, config.dropout, ordered)
        self.users = UserEmbedding(config.dims, facts)
        self.asked = MomentEmbedding(config.dims, facts)
        self.rating_head: RatingHead | None = None
        if facts.rates:
            self.rating_head = RatingHead(
                config.rating_heads, config.rating_dims, facts, config.id_dropout, ordered,
                interaction,
            )  # fmt: skip
        self.combine_movie, self.combine_query = combine_movie, combine_query
        self.linear: LinearPath | None = None  # added when all else is trained

    def tasks(self) -> Mapping[str, Sequence[tf.Variable]]:
        """The variables of each task, by the loss on valid that chooses their epoch.

        The heads share no weights, so that neither has to stop where the other one does.
        """
        if self.rating_head is None:
            return {"valid_retrieval": self.variables}
        rating = self.rating_head.variables
        own = {variable.ref() for variable in rating}
        rest = [variable for variable in self.variables if variable.ref() not in own]
        return {"valid_retrieval": rest, "valid_rating": rating}

    def averaged(self) -> Sequence[tf.Variable]:
        """The weights that are better averaged: the rating head's, best while still in motion.

        Those of retrieval are best at the end, when the learning rate has brought them to rest.
        """
        return list(self.rating_head.trainable_variables) if self.rating_head is not None else []

    def by_row(self) -> Sequence[RowTable]:
        """The tables of ids and of movies' features: a step reads those of its movies and users."""
        tables = [*self.movies.by_row(), *self.popularity.by_row(), *self.users.by_row()]
        if self.rating_head is None:
            return tables
        return [*tables, *self.rating_head.by_row(self.config.rating_weight * self._caution)]

    @property
    def _caution(self) -> float:
        """The factor of the rating head's divergence beside the mean loss of a rating."""
        return self.config.rating_caution / max(float(self.facts.rated_counts.sum()), 1.0)

    def movie_tables(self, facts: Facts | None = None) -> MovieTables:
        """What is known of every movie.

        Other `facts` of as many movies show what the model would make of them if these were true.
        """
        facts = facts or self.facts
        tables = self._candidates(facts)
        if self.rating_head is None:
            return tables
        return tables._replace(rating=self.rating_head.tables(facts))

    def _candidates(
        self, facts: Facts, movies: tf.Tensor | None = None, training: bool = False
    ) -> MovieTables:
        """What retrieval knows of some movies, int32 [movies]; of all where it is None."""
        vectors = self.combine_movie([self.movies.parts(facts, movies, training)])
        own = add_up([self.popularity.parts(facts, movies, training)])[:, 0]
        return MovieTables(vectors, own + of_movies(facts.log_popularity, movies))

    def query(self, tables: MovieTables, context: Context, training: bool = False) -> tf.Tensor:
        """Encodes users at some moments: float32 [batch, positions, dims]."""
        return self.combine_query(self.query_parts(tables, context, training))

    def query_parts(
        self, tables: MovieTables, context: Context, training: bool = False
    ) -> list[list[tf.Tensor]]:
        """What `query` is made of: the history, then what user id, features and the moment say.

        Returns:
          Two groups of float32 [batch, positions, dims], those of the user [batch, 1, dims].
        """
        window = context.window
        movies = tf.gather(tables.vectors, window.movie)
        events = self.events(movies, window.rating, window.rated)
        if training:
            events = randomness.dropped(events, self.config.dropout, whole=True)
        history = self.encoder(events, context, training=training)
        user = self.users.parts(window.user, window.user_features, training)
        moment = self.asked.parts(window.asked, training)
        return [[history], [*(part[:, tf.newaxis] for part in user), *moment]]

    def rate(self, tables: MovieTables, context: Context, target: tf.Tensor) -> tf.Tensor:
        """Predicts ratings on the data's scale, unclipped: float32, the shape of `target`.

        `target` int32 [batch, targets] are rows of the catalogue; the context has one position for
        all of them, or one for each.
        """
        head, rating = self._rating(tables)
        return head.predict(rating, head.posteriors(rating, context), target)

    def _rating(self, tables: MovieTables) -> tuple[RatingHead, RatingTables]:
        if self.rating_head is None or tables.rating is None:
            raise ValueError("a model without ratings predicts none")
        return self.rating_head, tables.rating

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
        movies, local = narrowed(window)
        tables = self._candidates(self.facts, movies, training)
        losses = {"retrieval": self._retrieval_loss(tables, movies, local, training)}
        if self.rating_head is not None:
            rating = self.rating_head.drawn(movies, training)
            losses["rating"] = self._rating_loss(self.rating_head, rating, local, training)
        return losses

    def moments(self, window: Window) -> Context:
        """The moments of a window at which its ratings are predicted."""
        return before(window) if self.ordered else others(window)

    def _rating_loss(
        self, head: RatingHead, tables: RatingTables, window: Window, training: bool
    ) -> tf.Tensor:
        raters = window.user if training else None
        users = head.posteriors(tables, self.moments(window), training, raters)
        nats = head.loss(tables, users, window.movie, window.rating, training)
        nats += self.config.rating_caution * tf.gather(tables.nats, window.movie) / head.heads
        return weighted_mean(nats, window.rated) + self._caution * head.divergence()

    def _retrieval_loss(
        self, tables: MovieTables, movies: tf.Tensor, window: Window, training: bool
    ) -> tf.Tensor:
        if self.ordered:
            context, targets = before(window), window.present
        else:
            targets = hide(window.present, self.config.hidden_share)
            context = without(window, targets)
        query = self.query(tables, context, training)
        target = tf.gather(tables.vectors, window.movie)
        chosen = tf.reduce_sum(query * target, -1) + tf.gather(tables.popularity, window.movie)
        others = self._others(movies, query, window, training)
        return weighted_mean(softmax_loss(chosen, others), targets)

    def _others(
        self, movies: tf.Tensor, query: tf.Tensor, window: Window, training: bool
    ) -> tf.Tensor:
        """The log of the softmax's denominator over all movies that the user did not watch."""
        drawn, log_rates = draw_candidates(self.facts.counts, self.config.max_softmax)
        candidates = self._candidates(self.facts, drawn, training)
        watched = seen_movies(window, tf.size(movies))
        place = tf.minimum(tf.searchsorted(movies, drawn), tf.size(movies) - 1)
        watched = tf.gather(watched, place, axis=1) & (tf.gather(movies, place) == drawn)
        return log_sum_exp(query, candidates.vectors, candidates.popularity - log_rates, watched)
