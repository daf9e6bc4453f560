"""What is done before the nodes run: damaged artifacts are put aside, leftovers are removed."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.ledger import Ledger
from pipeline.metadata import Metadata, StoredArtifact
from pipeline.output import Folders
from schemas.artifacts import LATEST, Node
from schemas.temporary import remove_abandoned

ASIDE = ".damaged"  # in the folder of artifacts: what was damaged
# A report's folder or the link to it, and a version's folder, before they have their names.
_HALF = re.compile(rf"\.(\d{{8}}-\d{{6}}(-\d+)?|\d+|{LATEST})")
_SYSTEM = ".system"  # in a node's folder: what TFX keeps there while the node runs


def put_aside_damaged(metadata: Metadata, artifacts: Path) -> list[str]:
    """Mends damaged artifacts from copies, or puts them aside, so that they are made again.

    Returns:
      What there is to say of each, in a sentence without its full stop.
    """
    ledger, said = Ledger(artifacts), []
    for artifact, place in kept_below(metadata, artifacts):
        fault = ledger.fault(place)
        if fault is None:
            continue
        name = place.relative_to(artifacts)
        if place.exists() and ledger.mend(place):
            said.append(f"{place} was damaged ({fault}): it is mended from a copy")
            continue
        metadata.give_up([artifact.id])
        ledger.forget(place)
        if place.exists():  # else somebody removed it, and knows
            to = artifacts / ASIDE / name
            shutil.rmtree(to, ignore_errors=True)
            to.parent.mkdir(parents=True, exist_ok=True)
            place.replace(to)
            said.append(
                f"{place} was damaged ({fault}): it is put aside in {to}, and made again "
                "where it is needed"
            )
    return said


def record_finished(metadata: Metadata, artifacts: Path) -> None:
    """Writes down what the files of all finished artifacts are, where that is not known yet."""
    ledger = Ledger(artifacts)
    for _, place in kept_below(metadata, artifacts):
        ledger.record(place)


def remove_leftovers(metadata: Metadata, folders: Folders) -> None:
    """Removes what killed runs left: half artifacts, reports and versions, temporary folders."""
    _remove_half_artifacts(metadata, folders.artifacts)
    remove_abandoned()
    for folder in (folders.reports, folders.serving):
        for path in folder.glob(".*"):
            if _HALF.fullmatch(path.name):
                _remove(path)


def _remove_half_artifacts(metadata: Metadata, artifacts: Path) -> None:
    """Removes what no finished node made.

    An artifact is known by the end of its path, wherever the output directory was when it was made.
    """
    ledger = Ledger(artifacts)
    known = {Path(artifact.uri).parts[-3:] for artifact in metadata.finished()}
    for folder in artifacts.glob("*/*/*"):
        parts = folder.relative_to(artifacts).parts
        if _is_nodes_own(*parts) and parts not in known:
            ledger.forget(folder)
            _remove(folder)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _is_nodes_own(node: str, output: str, execution: str) -> bool:
    """Whether a node made this folder, and nobody who keeps something else in `artifacts`."""
    return node in vars(Node).values() and (output == _SYSTEM or execution.isdecimal())


def kept_below(metadata: Metadata, artifacts: Path) -> Iterator[tuple[StoredArtifact, Path]]:
    """The finished artifacts of nodes below a folder, and their own folders."""
    for artifact in metadata.finished():
        place = Path(artifact.uri)
        if place.is_relative_to(artifacts):
            yield artifact, place
