"""Keeps the ML Metadata store usable: a damaged one gives way to the copy of the last good one."""

import contextlib
import sqlite3
from pathlib import Path

from schemas.errors import UserError

KEPT = ".kept"  # ending of the copy that a finished run leaves
DAMAGED = ".damaged"  # ending of a damaged store that was put aside


def check_store(path: Path, artifacts: Path) -> tuple[str, ...]:
    """Puts the last finished run's copy in the place of a damaged sqlite file.

    Args:
      path: of the file, which need not be there yet.
      artifacts: the folder of artifacts, which the file says all about.

    Returns:
      What there is to say of it, in a sentence without its full stop; nothing if all is well.

    Raises:
      UserError: it is damaged and there is no copy.
    """
    fault = _fault(path)
    if fault is None or (path.stat().st_size == 0 and not artifacts.exists()):
        return ()
    kept = path.with_name(path.name + KEPT)
    if not kept.exists() or _fault(kept):
        raise UserError(
            f"{path} is damaged ({fault}): bring it back from a backup; or move it away to begin "
            "anew, with no cached work and no earlier model to compare with."
        )
    aside = path.with_name(path.name + DAMAGED)
    path.replace(aside)
    journal = path.with_name(f"{path.name}-journal")  # of the damaged file, and no other
    journal.unlink(missing_ok=True)
    _copy(kept, path)
    return (
        f"{path} was damaged ({fault}) and is put aside as {aside.name}: the run goes on with the "
        "copy that the last finished one left",
    )


def keep_store(path: Path) -> None:
    """Leaves a copy of the sqlite file for `check_store`."""
    _copy(path, path.with_name(path.name + KEPT))


def _copy(source: Path, to: Path) -> None:
    aside = to.with_name(f".{to.name}")
    aside.unlink(missing_ok=True)
    try:
        with _opened(source) as read, _opened(aside) as written:
            read.backup(written)
        aside.replace(to)
    finally:
        aside.unlink(missing_ok=True)


def _opened(path: Path) -> "contextlib.closing[sqlite3.Connection]":
    return contextlib.closing(sqlite3.connect(path))


def _fault(path: Path) -> str | None:
    """What SQLite says of a file, without a full stop; None if it is sound or not there."""
    if not path.exists():
        return None
    if not path.stat().st_size:
        return "it is empty"
    try:
        with _opened(path) as store:
            (found,) = store.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else str(found).splitlines()[-1]
