"""Temporary folders that the next run removes where a killed one left them."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "greenlight-work-"
_LOCK = ".in-use"
_STARTING = 60.0  # seconds within which a folder may not be locked yet


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for its owner's eyes, locked while it is used and then removed."""
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX) as folder,
        Path(folder, _LOCK).open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(folder)


def remove_abandoned() -> None:
    """Removes this user's temporary folders that nobody uses: the system frees a lock at a kill."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            stat = folder.lstat()
            if stat.st_uid != os.getuid() or time.time() - stat.st_mtime < _STARTING:
                continue
            with (folder / _LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
        except (BlockingIOError, FileNotFoundError):  # in use, or just removed
            continue
