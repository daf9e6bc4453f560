"""Imports run the one way that `[tool.importlinter]` in pyproject.toml says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINT = "import importlinter.cli, sys; sys.exit(importlinter.cli.lint_imports(no_cache=True))"


def test_imports_run_one_way_and_in_no_circle() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
