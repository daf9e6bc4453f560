"""`greenlight init`: describes a user's files as a source."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import UserError
from schemas.files import plain_file, write_whole
from serving.loading import quiet

NAME = "source.yaml"


def init(
    files: Annotated[
        list[Path], typer.Argument(help="who saw or rated what; also of movies and of users")
    ],
    output: Annotated[
        Path | None,
        typer.Option(help=f"the YAML file to write; default: {NAME} beside the files"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace what is there")] = False,
) -> None:
    """Looks at your files and writes the YAML that describes them, each guess with its reason."""
    from rich.console import Console

    paths = [_checked(path) for path in files]
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    place = plain_file(output or folder / NAME)
    if place.suffix not in (".yaml", ".yml"):
        raise UserError(f"{place}: a source's file ends in .yaml: give another --output.")
    if place.exists() and not force:
        raise UserError(f"{place} is there: take --force to replace it, or give --output FILE.")
    quiet()
    with Console(stderr=True).status("Looking at the files"):
        from components.guess.guess import guess_source
        from schemas.source import load_source

        guess = guess_source(paths, folder)
        _write(place, guess.text)
        load_source(str(place))
    for sentence in guess.said:
        typer.echo(f"- {sentence}")
    typer.echo(f"The source: {place}. Look at it, and then:")
    beside = "" if place.parent == folder else f" --data-dir {shlex.quote(str(folder))}"
    settings = "".join(f" --set {setting}" for setting in guess.settings)
    for command in ("explore", "run"):
        typer.echo(
            f"  greenlight {command} --source {shlex.quote(_short(place))}{beside}{settings}"
        )


def _checked(path: Path) -> Path:
    if not path.exists():
        raise UserError(f"{path} does not exist.")
    if path.is_dir():
        raise UserError(f"{path} is a folder: name its files, as in {path}/*.csv.")
    return path.absolute()


def _write(place: Path, text: str) -> None:
    try:
        write_whole(place, text)
    except OSError as error:
        raise UserError(
            f"{place} cannot be written ({error.strerror}): give another place by --output."
        ) from error


def _short(path: Path) -> str:
    """The path from here, if it is below; or else as it is."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
