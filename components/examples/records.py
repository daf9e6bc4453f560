"""Opens the TFRecord files of Examples, in the one form in which they are written."""

from collections.abc import Sequence

import tensorflow as tf

COMPRESSION = "GZIP"
BATCH = 512  # Examples parsed at once


def serialized(files: str | Sequence[str] | tf.Tensor) -> tf.data.Dataset:
    """The serialized Examples one by one, in the files' order; a tensor may name the file, too."""
    names = files if isinstance(files, str | tf.Tensor) else list(files)
    return tf.data.TFRecordDataset(names, compression_type=COMPRESSION)


def records(files: Sequence[str], batch: int = BATCH) -> tf.data.Dataset:
    """The serialized Examples in the files' order: strings of shape [at most batch]."""
    return serialized(files).batch(batch)
