"""What all signatures read: the trained network, its movie tables, the catalogue, the users."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from components.exported.catalogue import Catalogue
from components.exported.stored import StoredUsers, UserStore
from components.model import scoring
from components.model.context import latest
from components.model.parsing import Lookup
from components.model.protocol import Model
from components.model.tables import MovieTables
from components.model.window import ANY_WINDOW, Window

ANY_EARLIER = tf.RaggedTensorSpec([None, None], tf.int32, 1, tf.int64)
Rate = Callable[[tf.Tensor], tf.Tensor]  # of rows int32 [batch, movies]: float32, same shape


class ServedModel:
    """What the signatures share. No tf.Module: Keras layers would be traced anew in saving.

    told: what a caller may give of a person: all features of users that the source declares, and
      those of a moment that are known when somebody asks. Each with its type. Those that the model
      does not know change nothing.
    """

    def __init__(
        self,
        model: Model,
        lookup: Lookup,
        reach: int,
        users: StoredUsers,
        told: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Keeps what evaluation and serving share.

        Args:
          model: trained.
          lookup: the tables that its input pipeline used.
          reach: how many of the newest events an ordered model reads.
          users: what is known of users by id.
          told: the features of users, and of ratings when somebody asks, that the source declares;
            the model's own need not be named.
          labels: what people call features, by name; default: their names.
        """
        self.model, self.lookup, self.reach = model, lookup, reach
        self.catalogue = Catalogue(model.facts, labels)
        known = model.facts.user_features
        self.told = {
            name: tf.float32 if name in model.facts.numbers else tf.string
            for name in [*told, *known, *model.facts.asked]
        }
        self.users = UserStore(users, [len(values) for values in known.values()], reach)
        self.variables = {
            name: tf.Variable(value, trainable=False, name=name)
            for name, value in model.movie_tables().by_name().items()
        }
        lengths = tf.norm(self.variables["vectors"], axis=1)
        self.lengths = tf.Variable(tf.maximum(lengths, 1e-9), trainable=False, name="lengths")
        self._shared: dict[Callable[..., Any], Any] = {}

    @property
    def rates(self) -> bool:
        """Whether the model predicts ratings."""
        return self.model.facts.rates

    @property
    def tables(self) -> MovieTables:
        """What is known of every movie, frozen at export."""
        tables = {name: tf.convert_to_tensor(value) for name, value in self.variables.items()}
        return MovieTables.of(tables)

    def shared(self, part: Callable[..., Any], *signature: Any) -> Callable[..., Any]:
        """A part as a graph of its own that the signatures call: traced, saved and loaded once.

        Args:
          part: gets this model and the call's arguments, tensors or tuples of them.
          signature: what the arguments are; default: a graph for each kind that it is called with.
        """
        if part not in self._shared:
            graph = partial(part, self)
            vars(graph).update(__name__=part.__name__)  # by which the SavedModel calls it
            self._shared[part] = tf.function(
                graph, input_signature=signature or None, autograph=False
            )
        return self._shared[part]

    def score(self, window: Window, earlier: tf.RaggedTensor | None = None) -> scoring.Scores:
        """What evaluation scores with: see `scoring.score`."""
        if earlier is None:
            earlier = tf.RaggedTensor.from_row_lengths(
                tf.zeros([0], tf.int32), tf.zeros_like(window.user, tf.int64), validate=False
            )
        earlier = earlier.with_row_splits_dtype(tf.int64)
        return self.shared(_score, ANY_WINDOW, ANY_EARLIER)(window, earlier)

    def encode(self, window: Window) -> dict[str, tf.Tensor]:
        """The parts of `score` that depend on the user: see the signature `query`."""
        context = latest(window, self.reach, self.model.ordered)
        linear = tf.zeros([tf.shape(window.movie)[0], 0])
        if self.model.linear is not None:
            linear = self.model.linear.of_covered(context)
        query = self.model.query(self.tables, context)[:, 0]
        known = scoring.known_users(self.model.facts, window)
        return {"query": query, "linear": linear, "known": known}

    def rate(self, window: Window, rows: tf.Tensor) -> tf.Tensor:
        """What evaluation rates with: see `scoring.rate`."""
        return self.shared(_rate, ANY_WINDOW, tf.TensorSpec([None, None], tf.int32))(window, rows)

    def rater(self, window: Window) -> Rate | None:
        """Predicts these users' ratings of rows; None where the model predicts none."""
        return (lambda rows: self.rate(window, rows)) if self.rates else None

    def movies(self, names: tf.Tensor) -> tf.Tensor:
        """Rows of movies by id or, failing that, by exact title; -1 where unknown."""
        rows = self.lookup.movie.lookup(names)
        return tf.where(rows >= 0, rows, self.catalogue.by_title(names))

    def names(self, rows: tf.Tensor, shown: tf.Tensor) -> dict[str, tf.Tensor]:
        """Ids and titles of rows, '' where not `shown`."""
        return {
            "movie_id": tf.where(shown, tf.gather(self.catalogue.movie_id, rows), ""),
            "movie_title": tf.where(shown, tf.gather(self.catalogue.movie_title, rows), ""),
        }


def _score(served: ServedModel, window: Window, earlier: tf.RaggedTensor) -> scoring.Scores:
    return scoring.score(served.model, served.tables, window, served.reach, earlier)


def _rate(served: ServedModel, window: Window, rows: tf.Tensor) -> tf.Tensor:
    return scoring.rate(served.model, served.tables, window, rows, served.reach)
