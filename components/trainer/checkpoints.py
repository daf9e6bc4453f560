"""Checkpoints of a training, of which the newest whole one counts."""

import logging
import re
import time

import tensorflow as tf

from components.examples.paths import literal

FINDINGS = logging.getLogger("greenlight.findings")
SECONDS = 90  # after which a round that is under way is written to a checkpoint
_KEPT = 2  # the last one, and the one before in case that one gets damaged
_LIST = "checkpoint"  # TensorFlow's list of a folder's checkpoints
_INDEX = re.compile(r"/ckpt-(\d+)\.index$")  # the file that TensorFlow writes last


class Checkpoints:
    """Saves what is tracked, and restores it from the newest checkpoint that is whole."""

    def __init__(self, tracked: tf.train.Checkpoint, folder: str) -> None:
        """Takes what is saved together, and a folder without marks of a pattern in its name."""
        self._tracked, self._folder = tracked, folder
        try:
            tf.train.get_checkpoint_state(folder)
        except ValueError:  # emptied; it only lists the files that are there
            tf.io.gfile.remove(f"{folder}/{_LIST}")
        self._manager = tf.train.CheckpointManager(tracked, folder, max_to_keep=_KEPT)
        self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether what was trained since the last checkpoint is as much as may be lost."""
        return time.monotonic() - self._last >= SECONDS

    def save(self) -> None:
        """Writes a checkpoint."""
        self._manager.save()
        self._last = time.monotonic()

    def restore(self) -> bool:
        """Restores the newest whole checkpoint; whether there is one."""
        for prefix in saved(self._folder):
            if fault := checkpoint_fault(prefix):
                FINDINGS.warning(
                    "The checkpoint %s is damaged (%s): the training goes on from the one before",
                    prefix, fault,
                )  # fmt: skip
            else:
                self._tracked.restore(prefix)
                return True
        return False


def saved(folder: str) -> list[str]:
    """The prefixes of a folder's checkpoints, the newest first."""
    paths = tf.io.gfile.glob(f"{literal(folder)}/ckpt-*.index")
    numbers = {path: int(found[1]) for path in paths if (found := _INDEX.search(path))}
    newest = sorted(numbers, key=lambda path: numbers[path], reverse=True)
    return [path.removesuffix(".index") for path in newest]


def checkpoint_fault(prefix: str) -> str | None:
    """What is wrong with a checkpoint, without a full stop; None if every tensor can be read.

    TensorFlow compares each with a checksum, but only as it restores it, when others have been
    given their values already. Its `load_checkpoint` would take the prefix for a folder in stores
    that have none.
    """
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, IndexError, RuntimeError, ValueError) as error:  # by kind of damage
        return str(error).splitlines()[0][:100]
    return None
