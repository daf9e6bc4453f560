"""What several test files need is made once in a test run, whichever worker asks first."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Factory(Protocol):
    """pytest's `tmp_path_factory`."""

    def getbasetemp(self) -> Path:
        """The worker's folder, which lies in the folder of the test run."""


def made_once(factory: Factory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name`, which all workers share: read it, or copy it before you write.

    Args:
      factory: pytest's `tmp_path_factory`.
      name: of the folder; the same for all who want the same thing.
      make: fills the new, empty folder. It is made where it stays, so it may hold paths to itself.
        Other workers wait for it. If it fails, the next who asks tries anew.
    """
    own = factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    shared.mkdir(exist_ok=True)
    place, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place)
            done.touch()
    return place
