"""`greenlight` in the test's own process: to load TFX once more takes as long as a node.

What the Evaluator starts are forks; test_end_to_end runs all as a user does. Tables of Transform
have names in a process: where two runs in it execute Transform, their features must be of one type.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

import pytest

from components.evaluation import review
from components.evaluation.server import process
from pipeline import cli
from pipeline.config import Config
from pipeline.local import Outcome, run_local
from tests import processes

# What must look anew in every run: resolvers, and what depends on the last run or the run itself.
NEVER_CACHED = {"BlessedModel", "LastStatistics", "DataValidator", "BlessingReport"}


def greenlight(*words: str) -> tuple[int, str]:
    """The status of a command, and all that it wrote to the terminal."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as terminal:
        return _status(words, terminal, terminal), _written(terminal)


def greenlight_piped(*words: str) -> tuple[int, str, str]:
    """The status of a command, and what it wrote to its two outputs."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
    ):
        return _status(words, out, err), _written(out), _written(err)


def _status(words: Sequence[str], out: TextIO, err: TextIO) -> int:
    with (
        _printed_to(out, err),
        processes.started_by(review, process),
        pytest.MonkeyPatch.context() as patched,
        pytest.raises(SystemExit) as ended,
    ):
        patched.setattr(sys, "argv", ["greenlight", *words])
        cli.main()
    return int(ended.value.code or 0)


def _written(file: TextIO) -> str:
    file.seek(0)
    return file.read()


def run(config: Config) -> Outcome:
    """`greenlight run`, by its configuration."""
    with processes.started_by(review, process):
        return run_local(config)


@contextmanager
def _printed_to(out: TextIO, err: TextIO) -> Iterator[None]:
    """Sends what is printed to files, down to the descriptors."""
    kept = [os.dup(1), os.dup(2)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            for descriptor, file in ((1, out), (2, err)):
                os.dup2(file.fileno(), descriptor)
            yield
            for file in (out, err):
                file.flush()
    finally:
        for descriptor, saved in zip((1, 2), kept, strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)
