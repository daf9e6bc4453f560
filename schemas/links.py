"""Gives folders names that TFX, Beam and TensorFlow take as they are."""

import hashlib
import os
import tempfile
from pathlib import Path

from schemas.errors import UserError

_MARKS = frozenset("*?[]{}\\")


def plain(folder: Path) -> Path:
    """The folder itself, or a link to it where its name holds marks of a pattern.

    Those libraries find files by a folder's name and a star, so a folder `[x]` would be `x`. The
    link is always the same for the same folder, and is made again where it is gone.

    Raises:
      UserError: somebody else owns the place of the links.
    """
    if not _MARKS & set(str(folder)):
        return folder
    links = Path(tempfile.gettempdir()) / f"greenlight-{os.getuid()}"
    links.mkdir(mode=0o700, exist_ok=True)
    if links.is_symlink() or links.stat().st_uid != os.getuid():
        raise UserError(
            f"{folder} needs another name, as {links} is somebody else's: take an --output-dir "
            "without any of * ? [ ] { } \\."
        )
    link = links / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    if not link.is_symlink():
        link.symlink_to(folder)
    return link
