"""The packages of a lock, as they are installed here."""

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from schemas.errors import UserError

CHECKOUT = Path(__file__).resolve().parents[2]


def locked_files(lock: Path) -> Iterator[Path]:
    """What the lock's packages have in site-packages: each folder and file at its top.

    Raises:
      UserError: a package is missing or has another version.
    """
    paths: set[Path] = set()
    for pin in locked(lock):
        try:
            package = importlib.metadata.distribution(pin.name)
        except importlib.metadata.PackageNotFoundError:
            package = None
        if package is None or not pin.specifier.contains(package.version):
            raise UserError(f"{pin.name} is not installed as {lock.name} says: run `make setup`.")
        site = Path(str(package.locate_file("")))
        names = {file.parts[0] for file in package.files or ()}
        paths |= {site / name for name in names if name not in ("..", "__pycache__")}
    return iter(sorted(paths))


def locked(lock: Path) -> list[Requirement]:
    """The lock's packages for the Python that runs."""
    pins = map(Requirement, pinned(lock))
    return [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]


def pinned(lock: Path) -> dict[str, list[str]]:
    """The lock's requirements for every Python, each with the hashes that its files may have."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    parts = [[part.strip() for part in line.split("--hash=")] for line in lines]
    return {pin: hashes for pin, *hashes in parts}
