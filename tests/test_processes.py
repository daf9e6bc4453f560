"""A fork does what the process does that it stands in for."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import processes


def test_a_fork_says_and_ends_as_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--model-dir", str(tmp_path)]
    own = subprocess.run(command, capture_output=True, text=True, check=False)
    fork = processes.run(tmp_path, command)
    assert own.returncode == 2 and "There is no model in" in own.stderr
    said = own.returncode, own.stdout, own.stderr
    assert (fork.returncode, fork.stdout, fork.stderr) == said


def test_a_fork_runs_until_a_signal_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with (tmp_path / "log").open("w") as out:
        fork = processes.Forked(command, out, out)
    with pytest.raises(subprocess.TimeoutExpired):
        fork.wait(0.1)
    assert fork.poll() is None
    fork.send_signal(signal.SIGKILL)
    assert fork.wait(60) == fork.returncode == -signal.SIGKILL
