"""The reports of an output directory: one found and written anew, or a page over all of them."""

from pathlib import Path

from pipeline.output import Folders
from schemas.artifacts import BLESSING_FILE, HISTORY_PAGE_FILE, PAGE_FILE
from schemas.errors import UserError
from schemas.files import write_whole


def find_run(reports: Path, run: str) -> Path:
    """The folder of a run's report, by id, folder or 'latest'.

    Raises:
      UserError: there is no such run.
    """
    place = reports / Path(run).name
    if not (place / BLESSING_FILE).exists():
        known = sorted(path.name for path in reports.glob("2*") if path.is_dir())
        raise UserError(
            f"There is no report of a run {run!r} in {reports}; the newest are "
            f"{', '.join(known[-3:]) or 'none'}."
        )
    return place.resolve()


def rebuild(folders: Folders, place: Path) -> Path:
    """Writes a run's report anew out of its artifacts; its seconds stay as they were measured.

    They are lost where the report that had them is damaged.

    Raises:
      UserError: the artifacts are damaged or gone, or an earlier version made them.
    """
    from components.report.gather import gather
    from pipeline.ledger import Ledger
    from pipeline.metadata import Metadata
    from pipeline.publish import check, write

    inputs, properties = Metadata(str(folders.metadata)).report_inputs(place.name)
    needed = {"catalogue", "model", "evaluation"}
    if not needed <= set(inputs) or "scale" not in properties:
        raise UserError(
            f"The run {place.name} was made by an earlier version, or its metadata are gone: its "
            "report cannot be rebuilt; run it again."
        )
    ledger = Ledger(folders.artifacts)
    for artifact in (artifact for artifacts in inputs.values() for artifact in artifacts):
        if "://" not in artifact.uri and not Path(artifact.uri).exists():
            raise UserError(f"{artifact.uri} is gone: run again to have a report.")
        if fault := ledger.fault(Path(artifact.uri)):
            raise UserError(f"{artifact.uri} is damaged ({fault}): run again to have it made anew.")
    content, facts = gather(inputs, properties)
    content["seconds"] = _published_seconds(place)
    check(content)
    write(place, content, facts)
    return place / PAGE_FILE


def _published_seconds(place: Path) -> dict[str, float]:
    from pipeline.publish import read_blessing

    try:
        seconds: dict[str, float] = read_blessing(place)["seconds"]
    except UserError:
        return {}
    return seconds


def write_history(reports: Path) -> Path:
    """Writes one page with the metrics of every run over time, with links to their reports.

    Raises:
      UserError: no run has ended yet, or a report is damaged.
    """
    from components.report.runs_page import render_history
    from pipeline.publish import read_blessing

    reported = [
        (read_blessing(path.parent), _link(path.parent))
        for path in sorted(reports.glob(f"*/{BLESSING_FILE}"))
        if not path.parent.is_symlink() and not path.parent.name.startswith(".")
    ]
    if not reported:
        raise UserError(f"{reports} holds no finished run yet.")
    return write_whole(reports / HISTORY_PAGE_FILE, render_history(reported))


def _link(folder: Path) -> str:
    """What a run's line links to: its page, or its facts where an earlier version made none."""
    page = folder / PAGE_FILE
    return f"{folder.name}/{page.name if page.exists() else BLESSING_FILE}"
