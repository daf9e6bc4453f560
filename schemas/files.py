"""Files that readers find whole: as they were or as they are, never half written."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> Path:
    """Writes a text beside its place and renames it into place; returns the path.

    It is on the disk before it has its name, so that not even a machine that loses its power leaves
    half of it. What was written when it fails is removed.

    Raises:
      OSError: the folder cannot be written to.
    """
    aside = path.with_name(f".{path.name}")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def sync_tree(folder: Path) -> None:
    """Waits until all files of a folder are on the disk; raises OSError where they cannot be."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
