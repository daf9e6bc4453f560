"""What continuous integration runs, and what it leaves out where a machine cannot run it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTED = ["make prism", "make test"]


def checkout(folder: Path, stack: str, debian: int) -> Path:
    """A checkout whose programs only write down that they were called; returns where."""
    said = folder / "called"
    programs = {
        "make": f'echo "make $*" >>{said}',
        "scripts/choose-stack": f"echo {stack}; echo 'Stack: {stack}.'",
        "scripts/debian13": f'echo "debian13 $*" >>{said}; exit {debian}',
    }
    (folder / "scripts").mkdir()
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return said


@pytest.mark.parametrize(
    ("stack", "debian", "called", "status"),
    [
        ("tfx1.21", 0, TESTED, 0),
        ("tfx1.16", 0, [*TESTED, "debian13 true", "make test-newest"], 0),
        ("tfx1.16", 3, [*TESTED, "debian13 true"], 0),
        ("tfx1.16", 1, [*TESTED, "debian13 true"], 1),
    ],
)
def test_both_stacks_are_tested_where_both_can_be(
    stack: str, debian: int, called: list[str], status: int, tmp_path: Path
) -> None:
    said = checkout(tmp_path, stack, debian)
    run = subprocess.run(
        ["bash", str(tmp_path / ".ci" / "run")],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (said.read_text().splitlines(), run.returncode) == (called, status)
    assert ("So the newest stack was not tested." in run.stdout) == (debian == 3)


def test_a_debian_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Here for want of Python 3.12, or of root."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "scripts" / "find-python").write_text("#!/bin/sh\nexit 2\n")
    run = subprocess.run(
        [str(tmp_path / "scripts" / "debian13"), "true"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (3, "", 1)
    assert run.stderr.startswith("Debian 13 cannot be made here: ")
