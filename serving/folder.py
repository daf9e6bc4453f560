"""What a folder of models holds, and in which order its versions are tried."""

import re
from collections.abc import Mapping
from pathlib import Path

from schemas.errors import UserError
from schemas.manifest import GRAPH_FILE
from serving import rollback

MOST_NAMED = 10  # versions that a sentence names
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*):/+")  # a Path keeps one slash of the two


def complete_versions(folder: Path) -> list[Path]:
    """Folders named by a number that hold a graph file, which is written last; oldest first."""
    return [path for path in _numbered(folder) if (path / GRAPH_FILE).is_file()]


def in_order(folder: Path, only: int | None = None) -> list[Path]:
    """Complete versions, the one to serve first; `only` one of them where that is asked for.

    The newest goes first, unless there was a rollback. Then it is: what was pushed since, what was
    rolled back to, what is older; and last, since a list is better than none, what was rolled back.

    Raises:
      UserError: the rollback's file is broken.
    """
    complete = complete_versions(folder)
    if only is not None:
        return [path for path in complete if int(path.name) == only]
    back = rollback.read(folder)

    def rank(path: Path) -> tuple[int, int]:
        number = int(path.name)
        if back is None or number > back.newest:
            return 2, number
        return int(number <= back.version), number

    return sorted(complete, key=rank, reverse=True)


def require_version(folder: Path, only: int | None = None) -> None:
    """Raises UserError unless there is a version to try, or the `only` one asked for."""
    check_folder(folder)
    if not in_order(folder, only):
        raise UserError(why_none(folder, {}, only))


def check_here(place: Path) -> None:
    """Raises UserError for an address, such as gs://, which would become a folder named gs:."""
    address = _ADDRESS.match(str(place))
    if address and not place.exists():
        how = " (`gcloud storage cp -r`)" if address[1] == "gs" else ""
        raise UserError(
            f"{address[1]}://{str(place)[address.end() :]} is no folder of this machine: give one "
            f"that is, and copy from there or to there{how}, or mount it."
        )


def check_folder(folder: Path) -> None:
    """Raises UserError, with what to give instead, for what is no folder of versions."""
    check_here(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: give the folder that holds the versions.")
    if (folder / GRAPH_FILE).is_file():
        raise UserError(_one_version(folder.resolve()))
    try:
        inner = None if _numbered(folder) else _serving_model(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}.") from error
    if inner:
        raise UserError(
            f"{folder} is an output directory, not its folder of versions: give {inner}."
        )


def why_none(folder: Path, refused: Mapping[str, str], only: int | None = None) -> str:
    """One sentence that says why no version in a folder is served, and what to do.

    Args:
      folder: of versions.
      refused: versions that were tried, and what is wrong with each.
      only: the version that was asked for, if one was.

    Raises:
      UserError: it is no folder of versions.
    """
    check_folder(folder)
    complete, numbered = complete_versions(folder), _numbered(folder)
    if refused:
        reasons = [f"{name} ({reason.rstrip('.')})" for name, reason in refused.items()]
        return f"No version in {folder} works: {'; '.join(reasons[:MOST_NAMED])}."
    if complete:
        return f"There is no version {only} in {folder}: {there_are(complete)}."
    if numbered:
        names = ", ".join(path.name for path in numbered[-MOST_NAMED:])
        return f"No version in {folder} is complete: {names} lacks its {GRAPH_FILE}."
    if not folder.exists():
        return f"There is no folder {folder}: `greenlight run` makes one and pushes models there."
    return f"There is no model in {folder}: `greenlight run` pushes one there."


def there_are(versions: list[Path]) -> str:
    """Which versions there are, in words; of many, the newest."""
    names = [path.name for path in versions]
    if len(names) == 1:
        return f"there is only {names[0]}"
    older = f"{len(names) - MOST_NAMED} older ones, " if len(names) > MOST_NAMED else ""
    return f"there are {older}{', '.join(names[-MOST_NAMED:-1])} and {names[-1]}"


def _numbered(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    numbers = (path for path in folder.iterdir() if path.name.isascii() and path.name.isdecimal())
    return sorted((path for path in numbers if path.is_dir()), key=lambda path: int(path.name))


def _serving_model(folder: Path) -> Path | None:
    """Where a run with this output directory, or with one in it, pushes to."""
    places = (*folder.glob("serving_model"), *sorted(folder.glob("*/serving_model")))
    return next(iter(places), None)


def _one_version(folder: Path) -> str:
    if folder.name.isdecimal():
        return (
            f"{folder} is one version, not the folder that holds the versions: give "
            f"{folder.parent}, and --version {int(folder.name)} for this one alone."
        )
    return (
        f"{folder} is one exported model, not a folder of versions: put it into a folder under a "
        "number, as FOLDER/1, and give FOLDER."
    )
