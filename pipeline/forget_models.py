"""Takes people out of the models of an output directory, without training."""

import shutil
from collections.abc import Collection
from pathlib import Path

from components.exported.forget import knows, write_without
from components.pusher import push
from pipeline.ledger import Ledger
from pipeline.output import Folders
from schemas.artifacts import Node
from schemas.manifest import GRAPH_FILE, fault
from schemas.temporary import temporary_folder
from serving.folder import complete_versions, in_order

Users = Collection[bytes]
_ASIDE = ".before"  # ending of what gives way; its name begins with a dot
MODELS = (Node.TRAINER, Node.PUSHER)


def replace_served(serving: Path, users: Users) -> tuple[str, str] | None:
    """Pushes the version in service anew without some users, as the newest.

    What is not whole, and so served by nobody, is removed.

    Returns:
      The number of the version that was in service, which is removed, and of the one that is now;
      None where it knew none of them.

    Raises:
      OSError, tf.errors.OpError: one cannot be read or written.
      UserError: the file of a rollback is broken.
    """
    _bring_back(serving)
    for version in complete_versions(serving):
        if fault(version):
            shutil.rmtree(version)
    served = next(iter(in_order(serving)), None)
    if served is None or not knows(served, users):
        return None
    with temporary_folder() as folder:
        write_without(users, served, folder / "model")
        new = push(str(folder / "model"), str(serving))
    shutil.rmtree(served)
    return served.name, new


def mend_versions(folder: Path, users: Users) -> list[Path]:
    """Writes the versions of a folder anew without some users, each under its own number."""
    _bring_back(folder)
    mended = []
    for version in complete_versions(folder):
        if not knows(version, users):
            continue
        with temporary_folder() as work:
            write_without(users, version, work / "model")
            aside = _aside(version)
            version.rename(aside)
            push(str(work / "model"), str(folder), version.name)
        shutil.rmtree(aside)
        mended.append(version)
    return mended


def mend_artifacts(folders: Folders, users: Users) -> list[Path]:
    """Writes the models that runs trained and pushed anew without some users."""
    ledger, mended = Ledger(folders.artifacts), []
    for node in MODELS:
        for aside in (folders.artifacts / node).rglob(f".*{_ASIDE}"):
            _bring_back(aside.parent)
        for graph in sorted((folders.artifacts / node).rglob(GRAPH_FILE)):
            if knows(graph.parent, users):
                _replace(graph.parent, users)
                artifact = folders.artifacts.joinpath(
                    *graph.relative_to(folders.artifacts).parts[:3]
                )
                ledger.forget(artifact)
                ledger.record(artifact)
                mended.append(graph.parent)
    return mended


def _replace(model: Path, users: Users) -> None:
    new, aside = model.with_name(f".{model.name}.new"), _aside(model)
    shutil.rmtree(new, ignore_errors=True)
    write_without(users, model, new)
    model.rename(aside)
    new.rename(model)
    shutil.rmtree(aside)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}{_ASIDE}")


def _bring_back(folder: Path) -> None:
    """Undoes what a killed command left half done."""
    for aside in folder.glob(f".*{_ASIDE}"):
        place = aside.with_name(aside.name[1 : -len(_ASIDE)])
        shutil.rmtree(aside) if place.exists() else aside.rename(place)
