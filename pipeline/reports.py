"""The reports of an output directory: one found and written anew, or a page over all of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.output import Folders
from schemas.artifacts import BLESSING_FILE, FACTS_FILE, HISTORY_PAGE_FILE, PAGE_FILE, Node
from schemas.errors import UserError
from schemas.files import write_whole
from schemas.manifest import GRAPH_FILE

if TYPE_CHECKING:
    from pipeline.metadata import Metadata, NodeRun

OF_THE_RUN = ("seconds", "made", "pushed_version")  # of blessing.json: what no artifact says


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


def pushed_version(metadata: "Metadata", runs: "Sequence[NodeRun]", serving: Path) -> str | None:
    """The newest version in the folder of versions that is what a run pushed; None if none is."""
    from pipeline.served import known_as, newest_first

    pusher = next(run for run in runs if run.node == Node.PUSHER)
    pushed = Path(str(metadata.output(pusher, "pushed_model")))
    if not (pushed / GRAPH_FILE).exists():
        return None
    same = (path.name for path in newest_first(serving) if known_as(path, {0: pushed}) == 0)
    return next(same, None)


def rebuild(folders: Folders, place: Path) -> Path:
    """Writes a run's report anew out of its artifacts; what only the run knew stays as it was.

    It is lost where the report that had it is damaged.

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
    del content["made"]  # it tells of now
    published = _published(place)
    content |= {key: published[key] for key in OF_THE_RUN if key in published}
    check(content)
    write(place, content, facts)
    return place / PAGE_FILE


def names(folders: Folders, place: Path) -> dict[str, str]:
    """The ids of the users that a report shows under numbers.

    Raises:
      UserError: what the run stored of its report is gone.
    """
    from components.report.naming import NAMES
    from pipeline.metadata import Metadata

    stored = Metadata(str(folders.metadata)).report_of(place.name)
    facts = Path(stored.uri) / FACTS_FILE if stored else None
    if facts is None or not facts.is_file():
        raise UserError(f"What the run {place.name} stored of its report is gone: run it again.")
    known: dict[str, str] = json.loads(facts.read_text(encoding="utf-8")).get(NAMES, {})
    return known


def _published(place: Path) -> dict[str, Any]:
    """What the report says so far; nothing where it is damaged."""
    from pipeline.publish import read_blessing

    try:
        return read_blessing(place)
    except UserError:
        return {}


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
    states = version_states(Folders(reports.parent).serving)
    return write_whole(reports / HISTORY_PAGE_FILE, render_history(reported, states))


def version_states(serving: Path) -> dict[str, str]:
    """What became of each version in a folder of versions, by its number.

    Raises:
      UserError: the rollback's file is broken.
    """
    from serving import rollback
    from serving.folder import in_order

    back, versions = rollback.read(serving), [path.name for path in in_order(serving)]

    def state(version: str) -> str:
        if version == versions[0]:
            return "in service"
        if back and back.version < int(version) <= back.newest:
            return "rolled back"
        return "promoted, since replaced"

    return {version: state(version) for version in versions}


def _link(folder: Path) -> str:
    """What a run's line links to: its page, or its facts where an earlier version made none."""
    page = folder / PAGE_FILE
    return f"{folder.name}/{page.name if page.exists() else BLESSING_FILE}"
