"""The file beside the versions that says which earlier one is served."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import UserError

FILE = "rollback.json"


@dataclass(frozen=True)
class Rollback:
    """Serve `version`, until one is pushed that is newer than `newest`."""

    version: int
    newest: int


def read(folder: Path) -> Rollback | None:
    """The rollback in a folder of versions, if there is one.

    Raises:
      UserError: its file is broken.
    """
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Rollback(int(content["serve"]), int(content["until_newer_than"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{folder / FILE} cannot be read: mend it by `greenlight rollback --to VERSION`, or "
            "remove it."
        ) from error


def write(folder: Path, rollback: Rollback | None) -> None:
    """Rolls back, or with none undoes it; whoever reads meanwhile finds the old or the new.

    Raises:
      UserError: the folder cannot be written to.
    """
    place, aside = folder / FILE, folder / f".{FILE}.{os.getpid()}"
    try:
        if rollback is None:
            place.unlink(missing_ok=True)
            return
        content = {"serve": rollback.version, "until_newer_than": rollback.newest}
        aside.write_text(json.dumps(content) + "\n", encoding="utf-8")
        aside.replace(place)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UserError(f"{place} cannot be written: {error.strerror or error}.") from error
