"""What is done before the nodes run: damaged artifacts are put aside, leftovers are removed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.ledger import Ledger
from pipeline.metadata import Metadata, StoredArtifact
from schemas.artifacts import Node

ASIDE = ".damaged"  # in the folder of artifacts: what was damaged
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
                f"{place} was damaged ({fault}): it is put aside in {to}, and made again when needed"
            )
    return said


def record_finished(metadata: Metadata, artifacts: Path) -> None:
    """Writes down what the files of all finished artifacts are, where that is not known yet."""
    ledger = Ledger(artifacts)
    for _, place in kept_below(metadata, artifacts):
        ledger.record(place)


def remove_leftovers(metadata: Metadata, artifacts: Path) -> None:
    """Removes what nodes that were killed left: half artifacts, and their working folders.

    An artifact is known by the end of its path, wherever the output directory was when it was made.
    """
    ledger = Ledger(artifacts)
    known = {Path(artifact.uri).parts[-3:] for artifact in metadata.finished()}
    for folder in artifacts.glob("*/*/*"):
        parts = folder.relative_to(artifacts).parts
        if _is_nodes_own(*parts) and parts not in known:
            ledger.forget(folder)
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()


def _is_nodes_own(node: str, output: str, execution: str) -> bool:
    """Whether a node made this folder, and nobody who keeps something else in `artifacts`."""
    return node in vars(Node).values() and (output == _SYSTEM or execution.isdecimal())


def kept_below(metadata: Metadata, artifacts: Path) -> Iterator[tuple[StoredArtifact, Path]]:
    """The finished artifacts of nodes below a folder, and their own folders."""
    for artifact in metadata.finished():
        place = Path(artifact.uri)
        if place.is_relative_to(artifacts):
            yield artifact, place
