"""Loads TensorFlow quietly, and for one answer no more of it than that takes."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.imports import kept
from schemas.stack import installed

if TYPE_CHECKING:
    from serving.answers import Answers

# What TensorFlow takes along where it is there, and no exported model needs.
UNNEEDED = ("googleapiclient", "oauth2client", "pandas", "tf_keras")


def loaded_for_one(folder: Path, version: int | None) -> "Answers":
    """A model for one answer, after the seconds that TensorFlow takes."""
    from rich.console import Console

    with kept("tensorflow"), _without(UNNEEDED):
        quiet()
        with Console(stderr=True).status(
            "Loading the model (a server, `greenlight serve`, answers at once)"
        ):
            from serving.versions import choose

            return choose(folder, version)


@contextmanager
def _without(packages: Sequence[str]) -> Iterator[None]:
    """Keeps packages that are not there yet from being imported; TensorFlow does without them."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in packages if name not in modules]
    modules.update(dict.fromkeys(hidden))  # to import what is None there is an ImportError
    try:
        yield
    finally:
        for name in hidden:
            if modules[name] is None:
                del modules[name]


def quiet() -> None:
    """Keeps the libraries' warnings off the terminal."""
    import os
    import warnings

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # TensorFlow then leaves Keras 3, and scikit-learn with it, until somebody asks for them.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")
    if installed().tells_of_gpus:
        _load_unheard()


def _load_unheard() -> None:
    """Imports TensorFlow with nothing from its C++ layers on the terminal."""
    import os

    from rich.console import Console

    sys.stderr.flush()
    stderr = os.dup(2)
    with os.fdopen(os.dup(2), "w") as terminal, Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            with Console(file=terminal).status("Loading TensorFlow"):
                importlib.import_module("tensorflow")
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
