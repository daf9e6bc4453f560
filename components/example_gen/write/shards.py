"""Files of Examples, written so that a reader sees a whole file or none."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from schemas.artifacts import SPLIT_PREFIX

_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
_UNFINISHED = ".unfinished-"


def split_dir(uri: str, split: str) -> str:
    """The folder of a split within an Examples artifact."""
    return os.path.join(uri, f"{SPLIT_PREFIX}{split}")  # noqa: PTH118 (may be gs://)


def write_shard(uri: str, split: str, index: int, count: int, pieces: Iterable[list[bytes]]) -> int:
    """Writes Examples to shard `index` of `count`, replacing what an earlier attempt left.

    Returns:
        How many Examples were written.
    """
    folder = split_dir(uri, split)
    tf.io.gfile.makedirs(folder)
    name = f"data_tfrecord-{index:05d}-of-{count:05d}.gz"
    aside = os.path.join(folder, f"{_UNFINISHED}{uuid.uuid4().hex}")  # noqa: PTH118
    examples = 0
    with tf.io.TFRecordWriter(aside, _OPTIONS) as writer:
        for piece in _ahead(pieces):
            for example in piece:
                writer.write(example)
            examples += len(piece)
    tf.io.gfile.rename(aside, os.path.join(folder, name), overwrite=True)  # noqa: PTH118
    return examples


def remove_unfinished(uri: str, split: str) -> None:
    """Removes what attempts that failed left beside the shards."""
    folder = split_dir(uri, split)
    for name in tf.io.gfile.listdir(folder):
        if name.startswith(_UNFINISHED):
            tf.io.gfile.remove(os.path.join(folder, name))  # noqa: PTH118


def _ahead(pieces: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    """The same pieces; the next one is made while this one is packed and written."""
    waiting = iter(pieces)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, waiting, None)
        while (piece := coming.result()) is not None:
            coming = maker.submit(next, waiting, None)
            yield piece
