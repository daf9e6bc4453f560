"""What a served model knows of its users by id alone: their features and all their events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def row_table(rows: Mapping[bytes, int], default: int) -> tf.lookup.StaticHashTable:
    """A table from names to rows; '' is never known, so that a table may be without names."""
    rows = {b"": default, **rows}
    pairs = tf.lookup.KeyValueTensorInitializer(
        tf.constant(list(rows), tf.string), tf.constant(list(rows.values()), tf.int32)
    )
    return tf.lookup.StaticHashTable(pairs, default)


@dataclass(frozen=True)
class StoredUsers:
    """Users as they stand at export; evaluation never reads this.

    ids: bytes, one per user.
    features: int32 [users, features], rows of each user feature's table.
    offsets: int64 [users + 1] into the events.
    movies: int32 [events], rows of the catalogue, newest last.
    ratings: float32 [events], NaN for what was seen and not rated.
    """

    ids: list[bytes]
    features: NDArray[Any]
    offsets: NDArray[Any]
    movies: NDArray[Any]
    ratings: NDArray[Any]

    @classmethod
    def none(cls, features: int = 0) -> "StoredUsers":
        """No user at all."""
        return cls(
            [],
            np.zeros([0, features], np.int32),
            np.zeros(1, np.int64),
            np.zeros(0, np.int32),
            np.zeros(0, np.float32),
        )


class UserStore(tf.Module):
    """The stored users as variables of the exported graph, looked up by id.

    Two limits: `histories` are what the model reads, `earlier` is what else has been seen.
    """

    def __init__(self, users: StoredUsers, unknown_features: list[int], reach: int) -> None:
        """Builds the variables.

        Args:
          users: those to store.
          unknown_features: the row of each user feature that stands for an unknown value.
          reach: how many of the newest events the model reads.
        """
        super().__init__()
        self._reach = reach
        self._rows = row_table({user: row for row, user in enumerate(users.ids)}, len(users.ids))
        # A stranger is one row behind the last: no events, unknown features.
        stranger = np.array([unknown_features], np.int32)
        self._features = tf.Variable(np.concatenate([users.features, stranger]), trainable=False)
        offsets = np.append(users.offsets, users.offsets[-1])
        self._offsets = tf.Variable(offsets, trainable=False)
        # One event more, never read, so that an empty store can be gathered from.
        movies, ratings = np.append(users.movies, 0), np.append(users.ratings, np.float32(0))
        small = np.uint16 if movies.max() <= np.iinfo(np.uint16).max else np.int32
        self._movies = tf.Variable(movies.astype(small), trainable=False)
        self._ratings = FewValues(ratings)
        self._strangers = len(users.ids)

    def rows(self, user_id: tf.Tensor) -> tf.Tensor:
        """Rows of users, string [batch] to int32 [batch]; strangers share the last one."""
        return self._rows.lookup(user_id)

    def known(self, rows: tf.Tensor) -> tf.Tensor:
        """Whether rows are those of stored users: bool [batch]."""
        return rows < self._strangers

    def features(self, rows: tf.Tensor) -> tf.Tensor:
        """User features: int32 [batch, features]."""
        return tf.gather(self._features, rows)

    def histories(self, rows: tf.Tensor, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What the model reads of those that are `wanted` (bool [batch]), padded at the front.

        Returns movies, int32 [batch, length], -1 where padded, and ratings, float32.
        """
        return self._newest(rows, wanted, tf.constant(self._reach, tf.int64))

    def everything(self, rows: tf.Tensor, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """All events: see `histories`."""
        return self._newest(rows, wanted, tf.int64.max)

    def earlier(self, rows: tf.Tensor, wanted: tf.Tensor) -> tf.RaggedTensor:
        """The movies of the events before `histories`: int32 [batch, (events)]."""
        first, end = tf.gather(self._offsets, rows), tf.gather(self._offsets, rows + 1)
        last = tf.where(wanted, tf.maximum(first, end - self._reach), first)
        return tf.ragged.map_flat_values(self._movies_at, tf.ragged.range(first, last))

    def _movies_at(self, places: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.gather(self._movies, places), tf.int32)

    def _newest(
        self, rows: tf.Tensor, wanted: tf.Tensor, most: tf.Tensor | int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        ends = tf.gather(self._offsets, rows + 1)
        counts = tf.where(wanted, tf.minimum(ends - tf.gather(self._offsets, rows), most), 0)
        ages = tf.range(tf.reduce_max(tf.concat([[0], counts], 0)), 0, -1, dtype=tf.int64)
        inside = ages <= counts[:, tf.newaxis]
        places = tf.where(inside, ends[:, tf.newaxis] - ages, 0)
        movies = tf.where(inside, self._movies_at(places), -1)
        return movies, tf.where(inside, self._ratings.at(places), 0.0)


class FewValues(tf.Module):
    """Numbers, in a byte each where they have few values, as ratings do."""

    def __init__(self, numbers: NDArray[np.float32]) -> None:
        super().__init__()
        values, codes = np.unique(numbers, return_inverse=True)
        few = len(values) <= 256
        self._values = tf.Variable(values, trainable=False) if few else None
        self._codes = tf.Variable(codes.astype(np.uint8) if few else numbers, trainable=False)

    def at(self, places: tf.Tensor) -> tf.Tensor:
        """The numbers at some places, int64 [...]: float32 of the same shape."""
        codes = tf.gather(self._codes, places)
        return codes if self._values is None else tf.gather(self._values, tf.cast(codes, tf.int32))
