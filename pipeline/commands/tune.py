"""`greenlight tune`: the pipeline up to its Tuner, and what the search found."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
import yaml
from rich.table import Table

from components.model.config import tuned
from pipeline.commands.options import ConfigFile, DataDir, OutputDir, Settings, SourceName
from pipeline.config import Config, load_config
from schemas.artifacts import BEST_FILE, PAGE_FILE, TRIALS_FILE, Node

if TYPE_CHECKING:
    from pipeline.metadata import Metadata, NodeRun

SHOWN = 10
NODES = (
    Node.LAST_STATISTICS, Node.CURATED_SCHEMA, Node.EXAMPLE_GEN, Node.STATISTICS,
    Node.CATALOGUE_STATISTICS, Node.DATA_VALIDATOR, Node.TRANSFORM, Node.TUNER,
)  # fmt: skip


def tune(
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
) -> None:
    """Searches for better settings here, scored on valid; goes on where an earlier search ended."""
    given = {"source": source, "data_dir": data_dir, "output_dir": output_dir}
    asked = [*(settings or []), "tuning.enabled=true"]
    found, place = tune_local(load_config(config, asked, **given))
    for name, value in best_values(found).items():
        typer.echo(f"  --set {name}={value}")
    typer.echo(f"The trials: {place / PAGE_FILE}")
    typer.echo(f"To train with the best: greenlight run --config {place / BEST_FILE}")


def tune_local(config: Config) -> tuple[dict[str, Any], Path]:
    """Runs the pipeline up to the Tuner and publishes what it found; shows progress and tables.

    Returns:
      The trials, and the folder of their page.

    Raises:
      UserError, RunFailed: as a run does.
    """
    from pipeline.local import at_work, execute

    with at_work(config) as (console, folders):
        metadata, runs = execute(config, console, folders, "", NODES)
        found = publish_trials(config, metadata, runs, folders.tuning)
        for table in (trials_table(found), settings_table(found)):
            console.print(table)
        return found, folders.tuning


def publish_trials(
    config: Config, metadata: "Metadata", runs: "list[NodeRun]", place: Path
) -> dict[str, Any]:
    """Writes the page of the trials, their figures and the best settings, each file at once.

    Args:
      config: what the search was run with.
      metadata: what knows of the runs.
      runs: of the nodes, the Tuner among them.
      place: the folder to write to.
    """
    from components.tuner.page import render_trials

    tuner = next(run for run in runs if run.node == Node.TUNER)
    results = Path(str(metadata.output(tuner, "tuner_results")))
    found = json.loads((results / TRIALS_FILE).read_text(encoding="utf-8"))
    place.mkdir(parents=True, exist_ok=True)
    texts = {
        TRIALS_FILE: json.dumps(found, indent=1),
        BEST_FILE: yaml.safe_dump(best_config(config, found), sort_keys=False),
        PAGE_FILE: render_trials(found),
    }
    for name, text in texts.items():
        part = place / f".{name}"
        part.write_text(text, encoding="utf-8")
        part.replace(place / name)
    return found


def best_values(found: dict[str, Any]) -> dict[str, Any]:
    """The settings of the best trial, by dotted name."""
    values: dict[str, Any] = found["trials"][found["best"] - 1]["values"]
    return values


def best_config(config: Config, found: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults in a run with the best settings and no search."""
    content = config.model_dump(mode="json", exclude_defaults=True, exclude={"tuning"})
    for section, values in tuned(best_values(found)).items():
        content[section] = {**content.get(section, {}), **values}
    return content


def trials_table(found: dict[str, Any]) -> Table:
    """The best trials."""
    done = [row for row in found["trials"] if row["status"] == "COMPLETED"]
    ranked = sorted(done, key=lambda row: -row["score"])
    table = Table(
        title=f"Trials, best first: {min(len(ranked), SHOWN)} of {len(found['trials'])}",
        title_justify="left",
    )
    for title in ("trial", "score", "NDCG", "hit rate@10", "RMSE", "epochs", "seconds"):
        table.add_column(title, justify="right")
    for row in ranked[:SHOWN]:
        names = ("score", "ndcg", "hit_rate@10", "rmse")
        cells = (f"{row[name]:.4f}" if name in row else "" for name in names)
        table.add_row(str(row["trial"]), *cells, f"{row['epochs']:.0f}", f"{row['seconds']:.0f}")
    return table


def settings_table(found: dict[str, Any]) -> Table:
    """The configuration's own settings beside the best trial's."""
    table = Table(title="Settings", title_justify="left")
    for title in ("setting", "yours", "best"):
        table.add_column(title, justify="left" if title == "setting" else "right")
    for name, value in best_values(found).items():
        table.add_row(name, f"{found['own'][name]}", f"{value}")
    return table
