"""What a served model knows of its users by id alone: their features and their histories."""

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
    """The stored users as variables of the exported graph, looked up by id."""

    def __init__(self, users: StoredUsers, unknown_features: list[int]) -> None:
        """Builds the variables; `unknown_features` is what a stranger's features are."""
        super().__init__()
        self._rows = row_table({user: row for row, user in enumerate(users.ids)}, len(users.ids))
        # A stranger is one row behind the last: no events, unknown features.
        stranger = np.array([unknown_features], np.int32)
        self._features = tf.Variable(np.concatenate([users.features, stranger]), trainable=False)
        offsets = np.append(users.offsets, users.offsets[-1])
        self._offsets = tf.Variable(offsets, trainable=False)
        # One event more, never read, so that an empty store can be gathered from.
        self._movies = tf.Variable(np.append(users.movies, np.int32(0)), trainable=False)
        self._ratings = tf.Variable(np.append(users.ratings, np.float32(0)), trainable=False)
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
        """Histories of those that are `wanted` (bool [batch]), padded at the front.

        Returns movies, int32 [batch, length], -1 where padded, and ratings, float32.
        """
        ends = tf.gather(self._offsets, rows + 1)
        counts = tf.where(wanted, ends - tf.gather(self._offsets, rows), 0)
        ages = tf.range(tf.reduce_max(tf.concat([[0], counts], 0)), 0, -1, dtype=tf.int64)
        inside = ages <= counts[:, tf.newaxis]
        places = tf.where(inside, ends[:, tf.newaxis] - ages, 0)
        movies = tf.where(inside, tf.gather(self._movies, places), -1)
        return movies, tf.where(inside, tf.gather(self._ratings, places), 0.0)
