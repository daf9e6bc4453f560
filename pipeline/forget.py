"""Takes people out of an output directory and keeps them out of its later runs."""

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from pipeline.forget_models import mend_artifacts, mend_versions, replace_served
from pipeline.forget_reports import Scrubber, mend_reports
from pipeline.ledger import Ledger
from pipeline.mend import ASIDE, kept_below, remove_leftovers
from pipeline.output import Folders
from schemas.artifacts import LOCK_FILE, LOG_FILE, STATISTICS_FILE, Node
from schemas.forgotten import FILE, Forgotten
from serving.announced import announcement

if TYPE_CHECKING:
    from pipeline.metadata import Metadata

# Artifacts of all users' rows and names, which the next run makes again from the files.
HOLD_ALL = (
    (Node.EXAMPLE_GEN, "examples"),
    (Node.STATISTICS, "statistics"),
    (Node.TRANSFORM, "transform_graph"),
)
USER_ID = "user_id"
INDEX = "serving_index"  # where `greenlight index` writes to by default


def forget(
    metadata: "Metadata", folders: Folders, users: Sequence[str], forgotten: Forgotten
) -> Iterator[str]:
    """Removes some users from all that runs left; tells what was done, a sentence at a time.

    What it does not finish, it does when it is called again.

    Args:
      metadata: of the output directory.
      folders: of the output directory.
      users: who they are.
      forgotten: a list that they are on.

    Raises:
      OSError, tf.errors.OpError: something cannot be read or written.
      UserError: the file of a rollback is broken.
    """
    ids = [user.encode() for user in users]
    remove_leftovers(metadata, folders)
    moved = dict[str, str]()
    if replaced := replace_served(folders.serving, ids):
        moved = dict([replaced])
        yield f"Version {replaced[1]} without them is in service in place of {replaced[0]}."
    mended = [
        *mend_versions(folders.serving, ids),
        *mend_versions(folders.output / INDEX, ids),
        *mend_artifacts(folders, ids),
    ]
    if mended:
        yield f"{len(mended)} earlier models and copies of models are written anew without them."
    _remove_rows(metadata, folders)
    _mend_statistics(metadata, folders, users)
    yield "Examples, statistics and vocabularies are removed: the next run makes them without them."
    reports = mend_reports(folders, Scrubber(users, forgotten, moved))
    if reports:
        names = ", ".join(path.name for path in reports)
        yield f"Reports written anew without them: {names}."
    _remove_the_rest(folders)
    yield "The log, the page of the data, unfinished trainings and damaged files are removed."


def strange(output: Path) -> list[str]:
    """What lies in an output directory and is not known to come from a run."""
    folders = Folders(output)
    known = {
        path.name for path in vars(folders).values() if path != output
    } | {LOCK_FILE, LOG_FILE, FILE, INDEX, announcement(folders.serving).name}  # fmt: skip
    store = folders.metadata.name
    names = {path.name for path in output.iterdir() if not path.name.startswith(store)}
    return sorted(names - known)


def _remove_rows(metadata: "Metadata", folders: Folders) -> None:
    ledger = Ledger(folders.artifacts)
    places = [folders.artifacts / node / output for node, output in HOLD_ALL]
    lost = [
        artifact.id
        for artifact, place in kept_below(metadata, folders.artifacts)
        if place.parent in places
    ]
    metadata.give_up(lost)
    for place in places:
        for artifact in place.glob("*"):
            shutil.rmtree(artifact)
            ledger.forget(artifact)


def _mend_statistics(metadata: "Metadata", folders: Folders, users: Collection[str]) -> None:
    """Takes names out of the statistics that the next run's are compared with."""
    ledger = Ledger(folders.artifacts)
    for accepted in (folders.artifacts / Node.DATA_VALIDATOR / "accepted").glob("*"):
        for path in accepted.rglob(STATISTICS_FILE):
            path.write_bytes(_without_names(path.read_bytes(), users))
        ledger.forget(accepted)
        ledger.record(accepted)


def _without_names(statistics: bytes, users: Collection[str]) -> bytes:
    """Statistics whose lists of the most frequent ids leave some users out."""
    content = DatasetFeatureStatisticsList.FromString(statistics)
    for dataset in content.datasets:
        for feature in dataset.features:
            if list(feature.path.step) != [USER_ID]:
                continue
            counted = feature.string_stats
            top = [one for one in counted.top_values if one.value not in users]
            ranks = [one for one in counted.rank_histogram.buckets if one.label not in users]
            del counted.top_values[:], counted.rank_histogram.buckets[:]
            counted.top_values.extend(top)
            counted.rank_histogram.buckets.extend(ranks)
    return content.SerializeToString()


def _remove_the_rest(folders: Folders) -> None:
    """Removes what may hold anybody and is of no use to a later run."""
    for folder in (folders.explore, folders.artifacts / "explore", folders.artifacts / ASIDE):
        shutil.rmtree(folder, ignore_errors=True)
    for training in folders.checkpoints.glob("*"):
        shutil.rmtree(training)
    log = folders.output / LOG_FILE
    if log.exists():
        os.truncate(log, 0)
