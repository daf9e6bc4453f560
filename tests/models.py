"""Exported models that test files of several folders share."""

from pathlib import Path

from benchmarks.synthetic_model import export_random
from tests.shared import Factory, made_once

MOVIES, USERS = 600, 40
MIX = 0.25  # how it orders lists for people


def serving_model(factory: Factory) -> Path:
    """A folder with version 1 of drawn weights, which all read and none may change."""
    return made_once(
        factory, "serving_model",
        lambda folder: export_random(folder / "1", MOVIES, USERS, mix=MIX),
    )  # fmt: skip
