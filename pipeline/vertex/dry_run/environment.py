"""An environment like the image's: the lock and the built package, nothing of the checkout."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

from pipeline.vertex.lock import CHECKOUT, locked_files
from schemas.errors import UserError
from schemas.stack import installed

# What the Dockerfile sets.
IMAGE_ENVIRONMENT = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
_NOT_SOURCE = (".*", "runs", "build", "dist", "*.egg-info", "__pycache__", "tests", "benchmarks")


class Environment:
    """Runs commands with nothing but the lock and the package importable."""

    def __init__(self, folder: Path, lock: Path | None = None) -> None:
        """Makes the environment anew, by links into the one that runs now.

        Args:
          folder: where.
          lock: what it holds beside the package (default: the lock of the stack that runs now).

        Raises:
          UserError: there is no checkout to build from, or what is installed is not the lock.
        """
        if not (CHECKOUT / "setup.py").exists():
            raise UserError("A dry run builds the package: run it from a checkout of the project.")
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
        (site,) = folder.glob("lib/python*/site-packages")
        for path in locked_files(lock or CHECKOUT / installed().lock):
            (site / path.name).symlink_to(path)
        with zipfile.ZipFile(build_wheel(folder / "wheel")) as wheel:
            wheel.extractall(site)

    def command(self, words: list[str]) -> list[str]:
        """The command with its program as the image's PATH would find it."""
        program = shutil.which(words[0], path=f"{self._folder}/bin")
        return [program or words[0], *words[1:]]

    def variables(self) -> dict[str, str]:
        """The environment variables of a container."""
        path = f"{self._folder}/bin:{os.defpath}"
        return {"PATH": path, "HOME": str(self._folder), **IMAGE_ENVIRONMENT}


def build_wheel(folder: Path) -> Path:
    """Builds the package out of a copy, so that nothing is left behind in the checkout."""
    copy = folder / "source"
    shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(*_NOT_SOURCE))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(folder)]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(copy)]
    subprocess.run(command, check=True)
    shutil.rmtree(copy)
    (built,) = folder.glob("*.whl")
    return built
