"""Processes of `python -m MODULE` that begin with TensorFlow imported: forks of one that has.

Importing is half of what a short process does, and the same each time. All else is the process's
own: its arguments, environment, output, signals and exit status.
"""

import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO, Any

FORK = "fork"  # this file's name where it is one's program
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["serving.app", "serving.server", "components.evaluation.reload"])


class Forked:
    """A process, with those of `subprocess.Popen`'s methods that tests and their subjects need."""

    def __init__(
        self,
        command: Sequence[str],
        stdout: IO[Any],
        stderr: IO[Any],
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Starts `[sys.executable, "-m", MODULE, ARGUMENT, ...]`; it writes to files with names."""
        python, option, *arguments = command
        assert (python, option) == (sys.executable, "-m"), command
        environment = dict(os.environ if env is None else env)
        written = [str(Path(file.name).absolute()) for file in (stdout, stderr)]
        told = {"told": (arguments, written, environment)}
        # By its path: installed packages bring a `tests` of their own, which a fork may find first.
        self._process = _forks.Process(target=runpy.run_path, args=(__file__, told, FORK))
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
        if self.poll() is None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self._process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended; TimeoutExpired if that takes too long."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a fork", timeout or 0)
        return self._process.exitcode


def run(folder: Path, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Runs a command as `subprocess.run` does with its output captured, in files of a folder."""
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
        status = Forked(command, out, err).wait()
    said = [Path(file.name).read_text(encoding="utf-8") for file in (out, err)]
    return subprocess.CompletedProcess(command, status, *said)


@contextmanager
def started_by(*modules: ModuleType) -> Iterator[None]:
    """Has modules that start processes by `subprocess` start forks."""
    import pytest  # not in the forks

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:

        def captured(command: Sequence[str], **_: object) -> "subprocess.CompletedProcess[str]":
            return run(Path(folder), command)

        for module in modules:
            patch.setattr(module, "subprocess", SimpleNamespace(run=captured, Popen=Forked))
        yield


def _run(arguments: list[str], written: list[str], environment: dict[str, str]) -> None:
    for number, path in enumerate(written, 1):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    gc.freeze()  # nothing that a fork begins with is garbage
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == FORK:
    _run(*globals()["told"])
