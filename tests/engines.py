"""Engines outside of the tests' process that must do with the data what this process does.

Beam's Prism is one, where it is installed (`make prism`, which needs Go). Another is whatever the
options in GREENLIGHT_TEST_BEAM_ARGS name, such as a cluster of your own; its workers must see the
tests' folders.
"""

import os
import shlex

import pytest

from pipeline.engine.options import find_prism
from pipeline.engine_config import EngineConfig
from schemas.errors import UserError

VARIABLE = "GREENLIGHT_TEST_BEAM_ARGS"
NAMES = ("prism", *(["own"] if VARIABLE in os.environ else []))


def beam_args_of(name: str) -> list[str]:
    """Beam's options for an engine; skips the test where there is none."""
    if name == "own":
        return shlex.split(os.environ[VARIABLE])
    try:
        return EngineConfig(kind="prism").beam_args(find_prism())
    except UserError as error:
        pytest.skip(str(error))
