"""`greenlight` in the test's own process: to load TFX once more takes as long as a node."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

import pytest

from pipeline import cli

# What must look anew in every run: resolvers, and what depends on the last run or the run itself.
NEVER_CACHED = {"BlessedModel", "LastStatistics", "DataValidator", "BlessingReport"}


def greenlight(*words: str) -> tuple[int, str]:
    """The status of a command, and all that it wrote to the terminal."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as terminal:
        with (
            _printed_to(terminal),
            pytest.MonkeyPatch.context() as patched,
            pytest.raises(SystemExit) as ended,
        ):
            patched.setattr(sys, "argv", ["greenlight", *words])
            cli.main()
        terminal.seek(0)
        return int(ended.value.code or 0), terminal.read()


@contextmanager
def _printed_to(file: TextIO) -> Iterator[None]:
    """Sends what is printed to a file, down to the descriptors."""
    kept = [os.dup(1), os.dup(2)]
    try:
        with redirect_stdout(file), redirect_stderr(file):
            for descriptor in (1, 2):
                os.dup2(file.fileno(), descriptor)
            yield
            file.flush()
    finally:
        for descriptor, saved in zip((1, 2), kept, strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)
