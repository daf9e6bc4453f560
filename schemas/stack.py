"""The two stacks that Greenlight runs on, and all that differs between them."""

import functools
import importlib.metadata
from typing import NamedTuple


class Stack(NamedTuple):
    """Releases that belong together.

    name: as `GREENLIGHT_STACK` chooses it.
    lock: the file in the checkout that pins every package.
    has_scann: whether a release of ScaNN is built for its TensorFlow.
    arrow_unpickles: whether its Arrow runs code out of a file's schema (CVE-2023-47248), so that
      nothing from outside may be opened without `pyarrow_hotfix`.
    tells_of_gpus: whether its TensorFlow says at its import, at any log level, that there is none.
    """

    name: str
    lock: str
    has_scann: bool
    arrow_unpickles: bool
    tells_of_gpus: bool


TFX_1_16 = Stack(
    "tfx1.16",
    "requirements-tfx1.16.lock",
    has_scann=True,
    arrow_unpickles=True,
    tells_of_gpus=False,
)
TFX_1_21 = Stack(
    "tfx1.21",
    "requirements-tfx1.21.lock",
    has_scann=False,
    arrow_unpickles=False,
    tells_of_gpus=True,
)
IMAGES = TFX_1_16  # what the Dockerfile installs


@functools.cache
def installed() -> Stack:
    """The stack of the environment that runs, by its TensorFlow, which a server has as well."""
    major, minor = importlib.metadata.version("tensorflow").split(".")[:2]
    return TFX_1_21 if (int(major), int(minor)) >= (2, 21) else TFX_1_16
