"""A temporary folder that a killed process left is removed, and none that is in use."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from schemas.temporary import PREFIX, remove_abandoned, temporary_folder

PROGRAM = """
import os, signal
from schemas.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "histories").write_text("secret")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def age(folder: Path) -> None:
    os.utime(folder, (1, 1))


def test_what_a_killed_process_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(f"{PREFIX}*")
    assert (left / "histories").exists() and left.stat().st_mode & 0o077 == 0
    remove_abandoned()
    assert left.exists()  # it may have been made this moment
    age(left)
    (tmp_path / "another's").mkdir()
    with temporary_folder() as used:
        age(used)
        remove_abandoned()
        assert used.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["another's"]
