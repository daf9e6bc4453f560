"""How old movies are at some moment: of a movie's dates, years that depend on when one asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from components.examples.ages import years_of
from components.examples.buckets import bounds_of
from components.model.parsing import Buckets
from schemas.text import to_texts


@dataclass(frozen=True)
class Ages:
    """What it takes to tell the ages.

    names: by age, what its buckets are called.
    born: float32 [movies, ages], the date of each movie in years, NaN where it has none.
    newest: the day, since 1970, of the newest event that the model knows. Who does not say when
      they ask asks then, so that what is served does not change with the clock.
    """

    names: Mapping[str, list[bytes]]
    born: NDArray[Any]
    newest: int

    def all_born(self) -> tf.Tensor:
        """`born`, in a graph."""
        return tf.constant(self.born, tf.float32)

    def rows(self, day: tf.Tensor, born: tf.Tensor) -> tf.Tensor:
        """The buckets that ages are in; the one behind the last where a movie has no date.

        Args:
          day: int32 [...], of the moment, since 1970; -1: `newest`.
          born: float32 [..., ages], of the movie; its axes and those of `day` are broadcast.

        Returns:
          int32 [..., ages].
        """
        now = years_of(tf.cast(tf.where(day < 0, self.newest, day), tf.float32))
        ages = tf.unstack(now[..., tf.newaxis] - born, num=len(self.names), axis=-1)
        buckets = [Buckets(bounds_of(to_texts(names))) for names in self.names.values()]
        return tf.stack([own.lookup(age) for own, age in zip(buckets, ages, strict=True)], -1)
