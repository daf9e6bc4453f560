"""The windows that a training learns from: those of train, or of train and valid together."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.examples.records import records, serialized

USER = {"user_id": tf.io.FixedLenFeature([], tf.string)}


class WindowFiles(NamedTuple):
    """TFRecord files of windows, shard by shard.

    train: the windows of train.
    both: of those who have ratings in valid, the windows of train and valid together, which take
      the place of theirs in train; shards of the same users. Empty: train alone.
    """

    train: Sequence[str]
    both: Sequence[str] = ()

    def shards(self, places: Iterable[int]) -> "WindowFiles":
        """Some of the shards, by their places."""
        chosen = list(places)
        both = [self.both[place] for place in chosen] if self.both else []
        return WindowFiles([self.train[place] for place in chosen], both)

    def serialized(self) -> tf.data.Dataset:
        """The windows one by one, serialized."""
        users = replaced_users(self.both)
        if not users:
            return serialized(self.train)
        once = tf.lookup.KeyValueTensorInitializer(users, tf.ones(len(users), tf.int32))
        replaced = tf.lookup.StaticHashTable(once, 0)

        def stays(example: tf.Tensor) -> tf.Tensor:
            user = tf.io.parse_single_example(example, USER)["user_id"]
            return replaced.lookup(user) == 0

        return serialized(self.train).filter(stays).concatenate(serialized(self.both))


def replaced_users(files: Sequence[str]) -> list[bytes]:
    """The users of the windows in some files, sorted."""
    batches = [tf.io.parse_example(batch, USER)["user_id"].numpy() for batch in records(files)]
    return sorted(np.unique(np.concatenate([np.array([], object), *batches])))
