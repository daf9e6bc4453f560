"""The two stacks that Greenlight runs on, and all that differs between them."""

import functools
import importlib.metadata
from typing import NamedTuple


class Stack(NamedTuple):
    """Releases that belong together.

    name: as `GREENLIGHT_STACK` chooses it.
    lock: the file in the checkout that pins every package.
    image_python: the Python of its images, as their base images' names have it.
    has_scann: whether a release of ScaNN is built for its TensorFlow.
    arrow_unpickles: whether its Arrow runs code out of a file's schema (CVE-2023-47248), so that
      nothing from outside may be opened without `pyarrow_hotfix`.
    option_of_empty_fields: by which protobuf's JSON holds fields that have no value.
    tells_of_gpus: whether its TensorFlow says at its import, at any log level, that there is none.
    """

    name: str
    lock: str
    image_python: str
    has_scann: bool
    arrow_unpickles: bool
    option_of_empty_fields: str
    tells_of_gpus: bool


TFX_1_16 = Stack(
    "tfx1.16",
    "requirements-tfx1.16.lock",
    "3.10",
    has_scann=True,
    arrow_unpickles=True,
    option_of_empty_fields="including_default_value_fields",
    tells_of_gpus=False,
)
TFX_1_21 = Stack(
    "tfx1.21",
    "requirements-tfx1.21.lock",
    "3.12",
    has_scann=False,
    arrow_unpickles=False,
    option_of_empty_fields="always_print_fields_with_no_presence",
    tells_of_gpus=True,
)
STACKS = (TFX_1_16, TFX_1_21)


def named_in(image: str) -> str | None:
    """The stack that an image's tag tells of; None where it tells of none."""
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return next((stack.name for stack in STACKS if stack.name in tag), None)


@functools.cache
def installed() -> Stack:
    """The stack of the environment that runs, by its TensorFlow, which a server has as well."""
    major, minor = _tensorflow().split(".")[:2]
    return TFX_1_21 if (int(major), int(minor)) >= (2, 21) else TFX_1_16


def _tensorflow() -> str:
    """The version of TensorFlow, which the server's image has by another name."""
    try:
        return importlib.metadata.version("tensorflow")
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version("tensorflow-cpu")
