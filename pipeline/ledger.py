"""What the files of finished artifacts are, so that damage shows before they are used again."""

import json
import shutil
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from schemas.files import write_whole
from schemas.manifest import digest

FOLDER = ".ledger"  # in the folder of artifacts: an artifact's own holds what its readers expect


class Entry(NamedTuple):
    """A file as it was when its artifact was finished: bytes, time of change (ns), SHA-256."""

    size: int
    changed: int
    sha256: str


class Ledger:
    """Knows the files of the artifacts below a folder, `NODE/OUTPUT/EXECUTION` each.

    As in rsync and git, a file whose size and time of change are the same counts as the same; it is
    read only where they differ.
    """

    def __init__(self, artifacts: Path) -> None:
        """Takes the folder of artifacts."""
        self._artifacts = artifacts

    def record(self, artifact: Path) -> None:
        """Writes down what the files of a finished artifact are, unless that is known already."""
        place = self._place(artifact)
        if place.exists() or not artifact.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps({name: _entry(artifact / name) for name in _names(artifact)}))

    def forget(self, artifact: Path) -> None:
        """Removes what is known of an artifact that is gone."""
        self._place(artifact).unlink(missing_ok=True)

    def fault(self, artifact: Path) -> str | None:
        """What is wrong with an artifact's files, without a full stop; None: nothing is known."""
        faults = (_fault(artifact / name, name, was) for name, was in self._read(artifact).items())
        return next((fault for fault in faults if fault), None)

    def mend(self, artifact: Path) -> bool:
        """Makes the damaged files of an artifact anew from copies in others; whether all are.

        A pushed model is kept twice.
        """
        for name, was in self._read(artifact).items():
            if not _fault(artifact / name, name, was):
                continue
            copies = (copy for copy in self._copies.get(was.sha256, ()) if copy != artifact / name)
            whole = next((copy for copy in copies if _is(copy, was)), None)
            if whole is None:
                return False
            (artifact / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(whole, artifact / name)
        return True

    @cached_property
    def _copies(self) -> dict[str, list[Path]]:
        """All files that are known, by what they hold."""
        found: dict[str, list[Path]] = {}
        for place in (self._artifacts / FOLDER).glob("*.json"):
            artifact = self._artifacts.joinpath(*place.stem.split("."))
            for name, entry in self._read(artifact).items():
                found.setdefault(entry.sha256, []).append(artifact / name)
        return found

    def _place(self, artifact: Path) -> Path:
        parts = artifact.relative_to(self._artifacts).parts
        return self._artifacts / FOLDER / f"{'.'.join(parts)}.json"

    def _read(self, artifact: Path) -> dict[str, Entry]:
        """The entries by the files' paths in the artifact; none where they are unreadable."""
        try:
            content = json.loads(self._place(artifact).read_text(encoding="utf-8"))
            return {name: Entry(*entry) for name, entry in content.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):  # it is written anew
            self.forget(artifact)
            return {}


def _names(artifact: Path) -> list[str]:
    files = (path for path in artifact.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(artifact)) for path in files)


def _entry(path: Path) -> Entry:
    stat = path.stat()
    with path.open("rb") as file:
        return Entry(stat.st_size, stat.st_mtime_ns, digest(file))


def _is(path: Path, was: Entry) -> bool:
    """Whether a file holds this, whatever its time of change."""
    return path.is_file() and path.stat().st_size == was.size and _entry(path).sha256 == was.sha256


def _fault(path: Path, name: str, was: Entry) -> str | None:
    try:
        stat = path.stat()
        if stat.st_size != was.size:
            return f"{name} has {stat.st_size:,} bytes in place of {was.size:,}"
        if stat.st_mtime_ns != was.changed and not _is(path, was):
            return f"{name} is not as it was written"
    except (FileNotFoundError, NotADirectoryError):
        return f"{name} is missing"
    except OSError as error:
        return f"{name} cannot be read ({error.strerror})"
    return None
