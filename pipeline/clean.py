"""Frees what old runs left, but for what is served, blessed, pushed or reported."""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.output import Folders
from schemas.artifacts import LATEST, Node
from schemas.errors import UserError

if TYPE_CHECKING:
    from pipeline.metadata import Metadata

DAY = 24 * 3600


@dataclass(frozen=True)
class Old:
    """What may go: artifacts by id, with their folders, other folders, and the bytes of all."""

    artifacts: dict[int, Path]
    folders: Sequence[Path]
    bytes: int


def find_old(
    metadata: "Metadata", folders: Folders, keep: int, days: float, refused: bool = False
) -> Old:
    """What is older than some days and of none of the newest runs, nor needed any more.

    Args:
      metadata: of the output directory.
      folders: of the output directory.
      keep: how many of the newest runs keep all of theirs.
      days: what is younger stays, too.
      refused: whether reports of old runs that were not blessed go with what they were made of.
    """
    from pipeline.mend import ASIDE, kept_below

    before = time.time() - days * DAY
    reports = _children(folders.reports)
    old_reports = [
        report
        for report in reports[: len(reports) - keep]
        if refused and _is_refused(report) and _newest_change(report) < before
    ]
    needed = _needed(metadata, folders, [report for report in reports if report not in old_reports])
    wanted = {*metadata.artifacts_of_newest_runs(keep), *needed}
    old = {
        artifact.id: place
        for artifact, place in kept_below(metadata, folders.artifacts)
        if artifact.id not in wanted and artifact.finished / 1000 < before
    }
    unfinished = [*_children(folders.checkpoints), *_children(folders.artifacts / ASIDE)]
    others = old_reports + [path for path in unfinished if _newest_change(path) < before]
    return Old(old, others, sum(map(_size, (*old.values(), *others))))


def remove(old: Old, metadata: "Metadata", folders: Folders) -> None:
    """Removes it; a kill on the way leaves nothing that the next run takes for whole."""
    from pipeline.ledger import Ledger

    metadata.give_up(list(old.artifacts))
    for place in old.artifacts.values():
        shutil.rmtree(place)
        Ledger(folders.artifacts).forget(place)
    for folder in old.folders:
        shutil.rmtree(folder)


def _is_refused(report: Path) -> bool:
    """Whether a report says that its model was not blessed, and is not the latest one."""
    from pipeline.publish import read_blessing

    try:
        blessed = read_blessing(report).get("blessed", True)
    except (FileNotFoundError, UserError):
        return False  # nobody knows
    return not blessed and report != (report.parent / LATEST).resolve()


def _needed(metadata: "Metadata", folders: Folders, reports: Sequence[Path]) -> Iterator[int]:
    """The artifacts of models that are served, blessed or pushed, and of reports."""
    from components.tfx.artifacts import saved_model_in
    from pipeline.baseline import pushed_models
    from pipeline.served import known_as, newest_first

    yield from pushed_models(metadata.store)
    yield from metadata.marked("PushedModel", "pushed")
    yield from metadata.blessed()
    models = {
        artifact.id: Path(saved_model_in(artifact.uri)) for artifact in metadata.finished("Model")
    }
    for version in newest_first(folders.serving):
        served = known_as(version, models)
        yield from [] if served is None else [served]
    for report in reports:
        inputs, _ = metadata.report_inputs(report.name)
        yield from (artifact.id for artifacts in inputs.values() for artifact in artifacts)
        if stored := metadata.report_of(report.name):
            yield stored.id  # who is who among the users that it shows
    yield from metadata.newest_outputs((Node.DATA_VALIDATOR,))  # drift is measured from there


def _children(folder: Path) -> list[Path]:
    """The folders in a folder, by their names: reports in the order of their runs."""
    return sorted(path for path in folder.glob("*") if path.is_dir() and not path.is_symlink())


def _newest_change(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
