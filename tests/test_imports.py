"""Imports run the one way that `[tool.importlinter]` in pyproject.toml says."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINT = "import importlinter.cli, sys; sys.exit(importlinter.cli.lint_imports(no_cache=True))"


def test_imports_run_one_way_and_in_no_circle() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


# What another release, or a successor, would change.
TFX = {"tensorflow_data_validation", "tensorflow_model_analysis", "tensorflow_transform", "tfx"}
PACKAGES = ("components", "data", "greenlight", "pipeline", "schemas", "serving")


def imported(tree: ast.Module) -> Iterator[str]:
    """The packages that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def test_tfx_and_its_parts_are_imported_in_few_files() -> None:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    found = {path: TFX & set(imported(tree)) for path, tree in trees.items()}
    needing = sorted(path.relative_to(ROOT).as_posix() for path, names in found.items() if names)
    assert len(paths) > 400 and "components/tfx/nodes.py" in needing
    assert len(needing) <= 0.05 * len(paths), needing
