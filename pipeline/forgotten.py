"""The list of people to be forgotten, beside what the runs of an output directory leave."""

from collections.abc import Iterable
from pathlib import Path

from schemas.errors import UserError
from schemas.files import write_whole
from schemas.forgotten import FILE, NOBODY, Forgotten


def read_forgotten(output: Path) -> Forgotten:
    """The list of an output directory; nobody where there is none.

    Raises:
      UserError: it is damaged.
    """
    path = output / FILE
    try:
        return Forgotten.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return NOBODY
    except ValueError as error:
        raise UserError(
            f"{path} is damaged ({error}): bring it back from a backup, or name everybody again by "
            "`greenlight forget` once it is removed; without it their rows would be read again."
        ) from error


def remember_to_forget(output: Path, users: Iterable[str]) -> Forgotten:
    """Puts people on the list of an output directory, for its owner's eyes; returns the list.

    Raises:
      UserError: the list is damaged.
      OSError: it cannot be written.
    """
    known = read_forgotten(output)
    wanted = (known if known.salt else Forgotten.begun()).and_also(users)
    write_whole(output / FILE, wanted.to_json(), mode=0o600)
    return wanted
