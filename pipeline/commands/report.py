"""`greenlight report`: a run's report anew from what is stored, or one page over all runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pipeline.remote import fetch, find_reports, is_root
from schemas.errors import UserError

HISTORY_PAGE = "history.html"


def report(
    run: Annotated[
        str,
        typer.Argument(
            help="a run's id or its folder of the reports, or a pipeline root (gs://, or a folder) "
            "whose newest report is fetched; none: the latest"
        ),
    ] = "latest",
    output_dir: Annotated[str, typer.Option(help="where the runs were written")] = "runs/default",
    history: Annotated[bool, typer.Option("--history", help="one page with all runs")] = False,
) -> None:
    """Rebuilds or fetches a run's report, or shows all runs of a directory or pipeline root."""
    from pipeline.local import LOG_FILE, Folders
    from pipeline.progress import quiet

    folders = Folders(Path(output_dir).resolve())
    if is_root(run):
        folders.output.mkdir(parents=True, exist_ok=True)
        with quiet(folders.output / LOG_FILE) as console, console.status("Fetching reports"):
            found = find_reports(run)
            places = [fetch(one, folders.reports) for one in (found if history else found[-1:])]
        typer.echo(write_history(folders.reports) if history else places[-1] / "index.html")
        return
    if not folders.reports.is_dir():
        raise UserError(f"{output_dir} has no reports: name a run's directory by --output-dir.")
    if history:
        typer.echo(write_history(folders.reports))
        return
    place = find_run(folders.reports, run)
    with quiet(folders.output / LOG_FILE) as console, console.status("Rebuilding the report"):
        page = rebuild(str(folders.metadata), place)
    typer.echo(page)


def find_run(reports: Path, run: str) -> Path:
    """The folder of a run's report, by id, folder or 'latest'.

    Raises:
      UserError: there is no such run.
    """
    place = reports / Path(run).name
    if not (place / "blessing.json").exists():
        known = sorted(path.name for path in reports.glob("2*") if path.is_dir())
        raise UserError(
            f"There is no report of a run {run!r} in {reports}; the newest are "
            f"{', '.join(known[-3:]) or 'none'}."
        )
    return place.resolve()


def rebuild(metadata: str, place: Path) -> Path:
    """Writes a run's report anew out of its artifacts; its seconds stay as they were measured.

    Raises:
      UserError: the artifacts are gone, or an earlier version made them.
    """
    from components.report.gather import gather
    from components.report.page import BLESSING_FILE, PAGE_FILE
    from pipeline.metadata import Metadata
    from pipeline.publish import check, write

    inputs, properties = Metadata(metadata).report_inputs(place.name)
    needed = {"catalogue", "model", "evaluation"}
    if not needed <= set(inputs) or "scale" not in properties:
        raise UserError(
            f"The run {place.name} was made by an earlier version, or its metadata are gone: its "
            "report cannot be rebuilt; run it again."
        )
    for artifacts in inputs.values():
        for artifact in artifacts:
            if "://" not in artifact.uri and not Path(artifact.uri).exists():
                raise UserError(f"{artifact.uri} is gone: run again to have a report.")
    content, facts = gather(inputs, properties)
    published = json.loads((place / BLESSING_FILE).read_text(encoding="utf-8"))
    content["seconds"] = published["seconds"]
    check(content)
    write(place, content, facts)
    return place / PAGE_FILE


def write_history(reports: Path) -> Path:
    """Writes one page with the metrics of every run over time, with links to their reports."""
    from components.report.runs_page import render_history

    found = [
        (json.loads(path.read_text(encoding="utf-8")), _link(path.parent))
        for path in sorted(reports.glob("*/blessing.json"))
        if not path.parent.is_symlink() and not path.parent.name.startswith(".")
    ]
    if not found:
        raise UserError(f"{reports} holds no finished run yet.")
    part = reports / f".{HISTORY_PAGE}"
    part.write_text(render_history(found), encoding="utf-8")
    part.replace(reports / HISTORY_PAGE)
    return reports / HISTORY_PAGE


def _link(folder: Path) -> str:
    """What a run's line links to: its page, or its facts where an earlier version made none."""
    page = folder / "index.html"
    return f"{folder.name}/{page.name if page.exists() else 'blessing.json'}"
