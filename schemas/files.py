"""Files that readers find whole: as they were or as they are, never half written."""

import os
from pathlib import Path

from schemas.errors import UserError


def write_whole(path: Path, text: str, mode: int | None = None) -> Path:
    """Writes a text beside its place and renames it into place; returns the path.

    It is on the disk before it has its name, so that not even a machine that loses its power leaves
    half of it. What was written when it fails is removed. `mode` says its rights, if given.

    Raises:
      OSError: the folder cannot be written to.
    """
    aside = path.with_name(f".{path.name}")
    try:
        with aside.open("w", encoding="utf-8") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def own_folder(path: Path) -> None:
    """Makes a folder that its owner alone can enter; one that is there keeps its rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def plain_file(place: Path) -> Path:
    """The file that a place means, itself or where it links to, whether or not it is there yet.

    Raises:
      UserError: it is a device, pipe or folder, which a file would replace, or links in a circle.
    """
    try:
        found = place.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle
        raise UserError(f"{place} cannot be written: {error}.") from error
    if found.exists() and not found.is_file():
        raise UserError(f"{place} is no file, and would be replaced by one: give another name.")
    return found


def sync_tree(folder: Path) -> None:
    """Waits until all files of a folder are on the disk; raises OSError where they cannot be."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
