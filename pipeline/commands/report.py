"""`greenlight report`: a run's report anew from what is stored, or one page over all runs."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.output import Folders, find_output
from pipeline.progress import quiet
from pipeline.remote import fetch, find_reports, is_root
from pipeline.reports import find_run, names, rebuild, write_history
from pipeline.store import check_store
from schemas.artifacts import LOG_FILE, PAGE_FILE
from schemas.errors import UserError
from schemas.text import printable


def report(
    run: Annotated[
        str,
        typer.Argument(
            help="a run's id or its folder of the reports, or a pipeline root (gs://, or a folder) "
            "whose newest report is fetched; default: the latest run here"
        ),
    ] = "latest",
    output_dir: Annotated[str, typer.Option(help="where the runs were written")] = "runs/default",
    history: Annotated[bool, typer.Option("--history", help="one page with all runs")] = False,
    users: Annotated[
        bool, typer.Option("--users", help="only say whom a run's report shows under which number")
    ] = False,
) -> None:
    """Rebuilds or fetches a run's report, or shows all runs of a directory or pipeline root."""
    folders = Folders(find_output(output_dir))
    if is_root(run):
        page = _fetched(run, folders, every=history)
    elif not folders.reports.is_dir():
        raise UserError(f"{output_dir} has no reports: name a run's directory by --output-dir.")
    elif users:
        for number, user in _names(run, folders).items():
            typer.echo(printable(f"User {number}: {user}"))
        return
    elif not history:
        page = _rebuilt(run, folders)
    typer.echo(write_history(folders.reports) if history else page)


def _fetched(root: str, folders: Folders, every: bool) -> Path:
    """Fetches the newest report below a pipeline root, or every one; returns the newest's page."""
    folders.output.mkdir(parents=True, exist_ok=True)
    with quiet(folders.output / LOG_FILE) as console, console.status("Fetching reports"):
        reports = find_reports(root)
        places = [fetch(one, folders.reports) for one in (reports if every else reports[-1:])]
    return places[-1] / PAGE_FILE


def _names(run: str, folders: Folders) -> dict[str, str]:
    place = find_run(folders.reports, run)
    with quiet(folders.output / LOG_FILE):
        return names(folders, place)


def _rebuilt(run: str, folders: Folders) -> Path:
    """Writes a run's report anew; returns its page."""
    place = find_run(folders.reports, run)
    with quiet(folders.output / LOG_FILE) as console, console.status("Rebuilding the report"):
        for note in check_store(folders.metadata, folders.artifacts):
            console.print(f"Note: {note}.", highlight=False, markup=False, soft_wrap=True)
        return rebuild(folders, place)
