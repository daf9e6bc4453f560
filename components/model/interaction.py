"""What a rating may have beside the movie's bias and the product of both vectors."""

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf

from components.model.tables import RatingTables


class Interaction(Protocol):
    """A further term of every head's rating, from the parts of the user and of the movie."""

    def movie_table(self, parts: Sequence[tf.Tensor]) -> tf.Tensor | None:
        """What the term reads of movies, given their parts, float32 [movies, width] each."""

    def rating(
        self,
        tables: RatingTables,
        solved: tf.Tensor,
        features: Sequence[tf.Tensor],
        target: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """The term, in standard deviations of train's ratings: float32 [batch, targets], or [1, 1].

        Args:
          tables: what is known of movies; its `parts` are what `movie_table` returned.
          solved: float32 [batch, heads, positions, width / heads], see `Posteriors.solve`.
          features: what each of the users' features says, float32 [batch, width] each.
          target: int32 [batch, targets], rows of the catalogue; as many as positions, or those are
            1.
          training: whether the term's own weights are drawn.
        """

    def divergence(self) -> tf.Tensor:
        """How far the term's own weights are from their prior: nats, scalar."""


class NoInteraction:
    """The plain rating: no further term."""

    def movie_table(self, parts: Sequence[tf.Tensor]) -> None:
        """Reads nothing of movies."""

    def rating(
        self,
        tables: RatingTables,
        solved: tf.Tensor,
        features: Sequence[tf.Tensor],
        target: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Zero: float32 [1, 1]."""
        return tf.zeros([1, 1])

    def divergence(self) -> tf.Tensor:
        """Zero."""
        return tf.zeros([])


NO_INTERACTION: Interaction = NoInteraction()
