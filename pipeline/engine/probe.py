"""A small Beam job that says whether an engine's workers can be trusted with the data nodes."""

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, TaggedOutput

NUMBERS, KEYS = 1000, 5
_PACKAGES = (
    "apache-beam", "numpy", "pyarrow", "tensorflow", "tensorflow-data-validation",
    "tensorflow-model-analysis", "tensorflow-transform", "tfx",
)  # fmt: skip
_MODULES = ("components", "pipeline", "schemas")


class WorkerFault(Exception):  # noqa: N818 (it names what is at fault)
    """What is wrong with a worker, in one sentence; engines hand on its text alone."""


@dataclass(frozen=True)
class Wanted:
    """What workers must have; it travels with the job.

    Args:
      folder: that they write to, seen by all under one path.
      files: sizes in bytes of files that they must see, by path.
      versions: of Python and packages, by name.
      code: digest of this project's modules.
    """

    folder: str
    files: Mapping[str, int]
    versions: Mapping[str, str]
    code: str


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that workers need; `none` for one not there."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def code_digest() -> str:
    """The digest of this project's modules, wherever they are installed."""
    digest = hashlib.sha256()
    for name in _MODULES:
        spec = importlib.util.find_spec(name)
        for root in (spec and spec.submodule_search_locations) or ():
            for path in sorted(Path(root).rglob("*.py")):
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def build(pipeline: beam.Pipeline, wanted: Wanted) -> None:
    """Adds the job: it divides numbers, groups, sums and writes them, and all who do it are seen.

    It has what the data nodes' graphs have: a shuffle, a second output, a side input, writes.
    """
    numbers = (
        pipeline
        | "Numbers" >> beam.Create(range(NUMBERS))
        | "Spread" >> beam.Reshuffle()
        | "Look" >> beam.ParDo(_Look(wanted)).with_outputs("odd", main="even")
    )
    both = (numbers.even, numbers.odd) | "Both" >> beam.Flatten()
    total = both | "Total" >> beam.CombineGlobally(sum)
    for name, part in (("even", numbers.even), ("odd", numbers.odd)):
        _ = (
            part
            | f"Key{name}" >> beam.Map(_keyed)
            | f"By{name}" >> beam.GroupByKey()
            | f"Write{name}" >> beam.Map(_write, name, wanted, AsSingleton(total))
        )


def results() -> dict[str, dict[str, int]]:
    """What the job must write, by the files' names."""
    found: dict[str, dict[str, int]] = {}
    for name, first in (("even", 0), ("odd", 1)):
        for key in range(KEYS):
            part = [number for number in range(first, NUMBERS, 2) if number % KEYS == key]
            found[f"{name}-{key}.json"] = _result(part, sum(range(NUMBERS)))
    return found


class _Look(beam.DoFn):
    """Number -> itself, tagged `odd` where it is, once the worker is known to be as wanted."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def setup(self) -> None:
        """Looks at the worker."""
        look(self._wanted)

    def process(self, number: int) -> Iterator[Any]:
        """Divides the numbers."""
        yield TaggedOutput("odd", number) if number % 2 else number


def look(wanted: Wanted) -> None:
    """Raises WorkerFault where this process is no worker as it is wanted."""
    where = f"A worker on {socket.gethostname()}"
    own = versions()
    for name, version in wanted.versions.items():
        if own[name] != version:
            raise WorkerFault(
                f"{where} has {name} {own[name]}, and this machine {version}: give workers "
                "the same locked packages, or this version's image"
            )
    if code_digest() != wanted.code:
        raise WorkerFault(
            f"{where} has other code of greenlight than this machine: install the same there"
        )
    for path, size in wanted.files.items():
        if not Path(path).is_file() or Path(path).stat().st_size != size:
            raise WorkerFault(
                f"{where} does not see {path} as this machine does: output and data directories "
                "must be on a share that all workers have under the same path, and may read"
            )


def _keyed(number: int) -> tuple[int, int]:
    return number % KEYS, number


def _result(part: Iterable[int], total: int) -> dict[str, int]:
    found = list(part)
    return {"count": len(found), "sum": sum(found), "total": total}


def _write(part: tuple[int, Iterable[int]], name: str, wanted: Wanted, total: int) -> None:
    path = Path(wanted.folder) / f"{name}-{part[0]}.json"
    try:
        path.write_text(json.dumps(_result(part[1], total)), encoding="utf-8")
    except OSError as error:
        raise WorkerFault(
            f"A worker on {socket.gethostname()} cannot write to {wanted.folder}: {error.strerror}"
        ) from error
