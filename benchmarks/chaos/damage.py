"""Damages what a run has left, or keeps it from writing, and runs again."""

import resource
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.chaos.row import Row
from benchmarks.chaos.runs import BLESSED, REFUSED, Runs
from schemas.manifest import fault

LIMITS = (2_000, 20_000, 100_000, 400_000)  # bytes that no file may outgrow


def damage(runs: Runs, output: Path) -> Iterator[Row]:
    """Damages a finished run's files, a kind at a time, and runs again.

    The run must end as before, and the newest served version be whole; a damaged one before it
    stays, and is passed over.
    """
    before = shutil.copytree(output / "reports", runs.folder / "before" / "reports").parent
    for what, harm in HARMS.items():
        harm(output)
        status, said = runs.run(output)
        newest = max(_served(output), key=lambda version: int(version.name), default=None)
        whole = newest is not None and fault(newest) is None
        held = status == BLESSED and whole and runs.same(output, before)
        held = held and "Traceback" not in said
        told = next((line for line in said.splitlines() if "amaged" in line), "made again")
        yield Row(what, 1, int(held), told if held else said[-300:])


def full_disk(runs: Runs) -> Iterator[Row]:
    """Lets no file grow beyond a size, then lifts the limit: it must go on from where it stopped.

    A limit on the size of files is what a disk without room is to the one that writes: `write`
    fails in the middle of a file.
    """
    output, held = runs.folder / "full", 0
    for size in LIMITS:
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
        status, said = runs.run(output, limit)
        held += status == REFUSED and "Traceback" not in said
        told = said.strip().splitlines()[-1] if said.strip() else "nothing was said"
    status, said = runs.run(output)
    same = status == BLESSED and runs.same(output, runs.folder / "undisturbed")
    yield Row(
        "writing fails in the middle", len(LIMITS), held * same, told if same else said[-300:]
    )


def _served(output: Path) -> list[Path]:
    folder = output / "serving_model"
    return [path for path in folder.iterdir() if path.name.isdigit()] if folder.exists() else []


def _newest(output: Path, pattern: str) -> Path:
    """The last written file of a pattern below the artifacts."""
    found = [path for path in (output / "artifacts").glob(pattern) if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime)


def _cut(path: Path) -> None:
    """Takes away the second half."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _flip(path: Path) -> None:
    """Turns one bit over in the middle."""
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 4
    path.write_bytes(whole)


def _flip_served(output: Path) -> None:
    for version in _served(output):
        _flip(version / "saved_model.pb")


HARMS: dict[str, Callable[[Path], object]] = {
    "served folder removed": lambda output: shutil.rmtree(output / "serving_model"),
    "bit flipped in the served graph": _flip_served,
    "Examples cut in half": lambda output: _cut(
        _newest(output, "RatingExampleGen/examples/*/Split-train/*.gz")
    ),
    "a vocabulary emptied": lambda output: _newest(
        output, "Transform/transform_graph/*/transform_fn/assets/*"
    ).write_bytes(b""),
    "the model's weights cut in half": lambda output: _cut(
        _newest(output, "MovieTrainer/model/*/Format-Serving/variables/*data*")
    ),
    "evaluation cut in half": lambda output: _cut(_newest(output, "Evaluator/evaluation/*/*.json")),
    "blessing cut in half": lambda output: _cut(_newest(output, "BlessingReport/report/*/*.json")),
    "metadata store overwritten": lambda output: (output / "metadata.sqlite").write_bytes(
        b"no database" * 1000
    ),
}
