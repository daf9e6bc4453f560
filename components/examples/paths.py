"""Where the files of an artifact lie, whatever special characters their folders' names hold."""

import re
from collections.abc import Sequence

import tensorflow as tf

from schemas.artifacts import SPLIT_PREFIX


def literal(folder: str) -> str:
    """The glob that matches this folder alone, with the special characters in its name escaped."""
    return re.sub(r"[*?[]", r"[\g<0>]", folder.replace("\\", "\\\\")).rstrip("/")


def listed(patterns: str | Sequence[str]) -> list[str]:
    """The files that patterns such as TFX's `folder/*` match, sorted; the folder is no pattern."""
    parts = [p.rpartition("/") for p in ([patterns] if isinstance(patterns, str) else patterns)]
    return sorted(tf.io.gfile.glob([f"{literal(folder)}/{glob}" for folder, _, glob in parts]))


def split_dir(uri: str, split: str) -> str:
    """The folder of a split within an Examples artifact."""
    return f"{uri.rstrip('/')}/{SPLIT_PREFIX}{split}"


def split_files(uri: str, split: str) -> list[str]:
    """The files of a split within an Examples artifact, sorted."""
    return listed(f"{split_dir(uri, split)}/*")
