"""Draws rows of a split whose files hold one user after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

READ = 200_000  # rows that a sample is drawn from, at most
BATCH = 512  # rows read at once


def sample(files: Sequence[str], rows: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draws serialized Examples, each with the same chance, from the first `READ` of all files.

    The first rows alone would be those of a few users.

    Args:
      files: TFRecord files, read in turn.
      rows: how many to draw.
      rng: draws.

    Returns:
      bytes [at most rows].
    """
    kept, keys = np.zeros(0, object), np.zeros(0)
    for batch in _in_turn(files) if rows else ():
        examples = batch.numpy()
        kept, keys = np.append(kept, examples), np.append(keys, rng.random(len(examples)))
        least = np.argsort(keys)[:rows]
        kept, keys = kept[least], keys[least]
    return kept


def _in_turn(files: Sequence[str]) -> tf.data.Dataset:
    each = tf.data.Dataset.from_tensor_slices(tf.constant(list(files), tf.string)).interleave(
        lambda file: tf.data.TFRecordDataset(file, compression_type="GZIP"),
        cycle_length=max(1, min(len(files), 64)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return each.take(READ).batch(BATCH)
