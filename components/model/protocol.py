"""What the trainer can train, and the scorer, the diagnostics and the export can use."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import tensorflow as tf

from components.model.config import ModelConfig
from components.model.context import Context
from components.model.facts import Facts
from components.model.linear import LinearPath
from components.model.row_table import RowTable
from components.model.tables import MovieTables
from components.model.window import Window


class Trainable(Protocol):
    """What the training loop needs of a model."""

    @property
    def variables(self) -> Sequence[tf.Variable]:
        """All weights, always in the same order."""

    @property
    def trainable_variables(self) -> Sequence[tf.Variable]:
        """The weights that the optimizer changes."""

    def by_row(self) -> Sequence[RowTable]:
        """The weights of which a step reads, and changes, some rows only."""

    def compute_loss(self, inputs: Window, training: bool = False) -> tf.Tensor:
        """The loss over the windows' events, a scalar; its first call makes the weights."""


class Model(Trainable, Protocol):
    """A model that retrieves movies and, where the facts hold ratings, predicts ratings.

    config: its settings.
    facts: what it knew before it learned.
    ordered: whether the order of events means something.
    linear: a path that adds to its scores, where one was added once all else was trained.
    """

    config: ModelConfig
    facts: Facts
    ordered: bool
    linear: LinearPath | None

    def tasks(self) -> Mapping[str, Sequence[tf.Variable]]:
        """All weights, by the loss on valid that chooses the epoch they are taken from."""

    def averaged(self) -> Sequence[tf.Variable]:
        """The weights whose moving average is better than their last values."""

    def movie_tables(self, facts: Facts | None = None) -> MovieTables:
        """What the model knows of every movie.

        Other `facts` of as many movies show what it would know if these were true.
        """

    def query(self, tables: MovieTables, context: Context, training: bool = False) -> tf.Tensor:
        """The users' vectors at some moments: float32 [batch, positions, dims].

        There may be a single position, whatever the context has, where history is not read.
        """

    def rate(self, tables: MovieTables, context: Context, target: tf.Tensor) -> tf.Tensor:
        """Predicts ratings on the data's scale, unclipped: float32 [batch, targets].

        Args:
          tables: what `movie_tables` returned.
          context: at one position for all targets, or at one for each.
          target: int32 [batch, targets], rows of the catalogue.

        Raises:
          ValueError: the model predicts no ratings.
        """
