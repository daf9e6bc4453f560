"""Files that readers find whole: as they were or as they are, never half written."""

from pathlib import Path


def write_whole(path: Path, text: str) -> Path:
    """Writes a text beside its place and renames it into place; returns the path.

    Raises:
      OSError: the folder cannot be written to.
    """
    aside = path.with_name(f".{path.name}")
    aside.write_text(text, encoding="utf-8")
    return aside.replace(path)
