"""Brings a run's report to its place, and closes the run on the terminal."""

import json
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
from rich.markup import escape
from rich.table import Table

from components.evaluation.verdicts import Outcome
from components.report.page import render
from components.report.tables import gate_cells
from pipeline.metadata import Metadata, NodeRun
from schemas.artifacts import BLESSING_FILE, FACTS_FILE, LATEST, Node
from schemas.errors import UserError
from schemas.files import write_whole
from schemas.words import MOVIE, Item

PASSED = "[green]passed[/]"


def publish(
    metadata: Metadata,
    runs: Sequence[NodeRun],
    reports: Path,
    run_id: str,
    version: str | None = None,
) -> tuple[dict[str, Any], Path]:
    """Writes `reports/<run>/` aside, renames it into place, and points `latest` to it.

    `version` is the number under which the model was pushed, if it was.

    Returns the content of blessing.json and its folder.
    """
    node = next(run for run in runs if run.node == Node.REPORT)
    stored = Path(str(metadata.output(node, "report")))
    content, facts = (
        json.loads((stored / name).read_text(encoding="utf-8"))
        for name in (BLESSING_FILE, FACTS_FILE)
    )
    content["seconds"] = {run.node: round(run.seconds, 3) for run in runs}
    content["pushed_version"] = version
    check(content)
    return content, place(reports, run_id, content, facts)


def place(reports: Path, run_id: str, content: dict[str, Any], facts: dict[str, Any]) -> Path:
    """Writes a run's report aside, renames it into place, and points `latest` to it.

    One that is there already is written anew, file by file. Returns the report's folder.
    """
    aside, folder = reports / f".{run_id}", reports / run_id
    if folder.exists():
        write(folder, content, facts)
    else:
        aside.mkdir(parents=True, exist_ok=True)
        try:
            write(aside, content, facts)
            aside.rename(folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    link = reports / f".{LATEST}"
    link.unlink(missing_ok=True)
    link.symlink_to(run_id)
    link.replace(reports / LATEST)
    return folder


def check(content: dict[str, Any]) -> None:
    """Raises jsonschema.ValidationError unless the content is what the schema promises."""
    schema = resources.files("schemas").joinpath("blessing.schema.json")
    jsonschema.validate(content, json.loads(schema.read_text(encoding="utf-8")))


def write(folder: Path, content: dict[str, Any], facts: dict[str, Any]) -> None:
    """Writes the files that people and programs read, each aside and then renamed."""
    for name, text in render(content, facts).items():
        if name != FACTS_FILE:
            write_whole(folder / name, text)


def last_seconds(reports: Path) -> dict[str, float]:
    """How long each node took in the latest published run; empty if nothing readable says it."""
    try:
        seconds = read_blessing(reports / LATEST).get("seconds", {})
    except (FileNotFoundError, UserError):
        return {}
    # A node taken from the cache says nothing of how long it takes.
    return {node: took for node, took in seconds.items() if took > 1}


def read_blessing(report: Path) -> dict[str, Any]:
    """The content of the blessing.json of a published report.

    Raises:
      FileNotFoundError: there is none.
      UserError: it is damaged.
    """
    path = report / BLESSING_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UserError(
            f"{path} is damaged: `greenlight report {report.resolve().name}` with the same "
            "--output-dir writes it anew."
        )
    return content


def closing_tables(runs: Sequence[NodeRun], blessing: dict[str, Any]) -> list[Table]:
    """The tables that end a run: its nodes, then its gates."""
    nodes = Table(title="Nodes", title_justify="left")
    for title in ("node", "state", "seconds", "rows"):
        nodes.add_column(title, justify="right" if title in ("seconds", "rows") else "left")
    rows = node_rows(blessing)
    for run in runs:
        count = f"{rows[run.node]:,}" if run.node in rows else ""
        # The run ended, so all that can have failed is the look-up of what there is not yet.
        state = "none yet" if run.state == "failed" else run.state
        nodes.add_row(run.node, state, f"{run.seconds:.1f}", count)
    gates = Table(title="Gates", title_justify="left")
    for title in ("gate", "on", "value", "interval", "bound", "verdict"):
        gates.add_column(title, no_wrap=title == "on")  # a metric's name is one word
    outcomes = [Outcome.from_json(row) for row in blessing["gates"]]
    sound = [outcome for outcome in outcomes if not outcome.gate.is_decisive and outcome.passed]
    if sound:
        gates.add_row(f"{len(sound)} on sound lists and export", "", "", "", "", PASSED)
    for outcome in (outcome for outcome in outcomes if outcome not in sound):
        cells = gate_cells(outcome, Item(*blessing.get("item", MOVIE)))
        verdict = {"passed": PASSED, "failed": "[red]failed[/]"}.get(
            cells["verdict"], cells["verdict"]
        )
        verdict += f": {escape(cells['why'])}" if cells["why"] else ""
        columns = ("name", "on", "value", "interval", "bound")
        gates.add_row(*(escape(cells[name]) for name in columns), verdict)
    return [nodes, gates]


def node_rows(blessing: dict[str, Any]) -> dict[str, int]:
    """How many ratings a node read."""
    split = blessing["split"]
    kept, train = blessing["rows"]["kept"], split["train"]["ratings"]
    return {
        Node.EXAMPLE_GEN: blessing["rows"]["read"],
        Node.STATISTICS: kept,
        Node.TRANSFORM: train,
        Node.TRAINER: train,
        Node.EVALUATOR: split["eval"]["ratings"],
    }
