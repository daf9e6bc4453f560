"""Processes of `greenlight` that begin with TensorFlow imported, as a fork of one that has.

Importing is half of a server's start and the same each time. All else is the process's own: its
arguments, environment, output, signals and exit status.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["serving.app", "serving.server"])


class Forked:
    """A process of the command line, with the methods of `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        """Starts `greenlight` with these arguments; what it says goes to the log."""
        self._process = _forks.Process(
            target=_run, args=(list(arguments), str(log), dict(environment))
        )
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """Its exit status, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """See `returncode`."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self._process.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self._process.terminate()

    def wait(self, seconds: float) -> int:
        """Its exit status, once it has ended; AssertionError if that takes too long."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"still running after {seconds} s"
        return self._process.exitcode


def _run(arguments: list[str], log: str, environment: dict[str, str]) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["greenlight", *arguments]
    from pipeline import cli

    cli.main()
