"""`greenlight rollback`: an earlier version in place of the newest, until the next is pushed."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import UserError
from serving import rollback as stored
from serving.commands import PUSHED
from serving.folder import check_folder, complete_versions, in_order, there_are, why_none


def rollback(
    to: Annotated[
        int | None, typer.Option(min=0, help="version to serve; default: the one before")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="serve the newest version again")] = False,
    output_dir: Annotated[
        Path | None, typer.Option(help="of the runs that pushed the versions")
    ] = None,
    model_dir: Annotated[
        Path | None, typer.Option(help=f"where models are pushed to; default: {PUSHED}")
    ] = None,
) -> None:
    """Serves an earlier blessed version, until a newer one is pushed."""
    if output_dir and model_dir:
        raise UserError("Say either --output-dir or --model-dir.")
    if undo and to is not None:
        raise UserError("Say either --to or --undo.")
    folder = model_dir or (output_dir / "serving_model" if output_dir else PUSHED)
    check_folder(folder)
    versions = complete_versions(folder)
    if not versions:
        raise UserError(why_none(folder, {}))
    typer.echo(_undo(folder, versions) if undo else _roll_back(folder, versions, to))


def _undo(folder: Path, versions: list[Path]) -> str:
    back, newest = stored.read(folder), versions[-1].name
    if back is None or int(newest) > back.newest:
        raise UserError(f"There is no rollback to undo in {folder}: version {newest} is served.")
    stored.write(folder, None)
    return f"Version {newest} is served again; servers that run turn to it within seconds."


def _roll_back(folder: Path, versions: list[Path], to: int | None) -> str:
    # A broken file is replaced, but only by a version that is named.
    served = versions[-1] if to is not None else in_order(folder)[0]
    target = _named(folder, versions, to) if to is not None else _before(folder, versions, served)
    newest = int(versions[-1].name)
    if int(target.name) == newest:
        stored.write(folder, None)
        return f"Version {target.name}, the newest, is served; there is no rollback any more."
    stored.write(folder, stored.Rollback(int(target.name), newest))
    return (
        f"Version {target.name} is served, in place of {served.name}, until one newer than "
        f"{newest} is pushed; servers that run turn to it within seconds, and "
        "`greenlight rollback --undo` takes it back."
    )


def _named(folder: Path, versions: list[Path], to: int) -> Path:
    for path in versions:
        if int(path.name) == to:
            return path
    raise UserError(f"There is no version {to} in {folder}: {there_are(versions)}.")


def _before(folder: Path, versions: list[Path], served: Path) -> Path:
    """What would be served if `served` were not there, as long as it is older."""
    for path in in_order(folder):
        if int(path.name) < int(served.name):
            return path
    raise UserError(f"There is no version before {served.name} in {folder}: {there_are(versions)}.")
