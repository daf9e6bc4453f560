"""What is imported for good is not looked through for garbage, and computes nothing."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.imports import kept


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "a_heavy_package.py").write_text("import gc\nlooks = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "a_heavy_package"


def test_its_import_is_not_interrupted_and_is_passed_over_later(package: str) -> None:
    try:
        before = gc.get_freeze_count()
        with kept(package):
            __import__(package)
        assert not sys.modules[package].looks
        assert gc.isenabled() and gc.get_freeze_count() > before
        before = gc.get_freeze_count()
        since: list[list[int]] = [[]]  # which may be garbage one day
        with kept(package):
            assert gc.isenabled()
        assert gc.get_freeze_count() <= before and since == [[]]
    finally:
        del sys.modules[package]


def test_a_failed_import_leaves_the_collector_as_it_was() -> None:
    with pytest.raises(ModuleNotFoundError), kept("no_such_package_at_all"):
        __import__("no_such_package_at_all")
    assert gc.isenabled()


EVERYTHING = """
import importlib, pkgutil
import components, pipeline, serving
for package in (components, pipeline, serving):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
            from tensorflow.python.eager import context
            assert context.context()._context_handle is None, found.name
"""


def test_no_module_computes_as_it_is_imported() -> None:
    """TensorFlow's threads would be lost in a fork, and no training could join others."""
    run = [sys.executable, "-W", "ignore", "-c", EVERYTHING]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
