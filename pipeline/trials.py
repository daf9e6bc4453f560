"""What a search for settings found: its page, the best settings, and the tables of the terminal."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from components.model.config import tuned
from components.tuner.page import render_trials
from pipeline.config import Config
from pipeline.metadata import Metadata, NodeRun
from schemas.artifacts import BEST_FILE, PAGE_FILE, TRIALS_FILE, Node
from schemas.files import write_whole

SHOWN = 10  # trials of the terminal's table


def publish_trials(
    config: Config, metadata: Metadata, runs: Sequence[NodeRun], place: Path
) -> dict[str, Any]:
    """Writes the page of the trials, their figures and the best settings, each file at once.

    Args:
      config: what the search was run with.
      metadata: where the nodes noted their outputs.
      runs: of the nodes, the Tuner among them.
      place: the folder to write to.

    Returns:
      The trials; see `components.tuner.search.results`.
    """
    tuner = next(run for run in runs if run.node == Node.TUNER)
    results = Path(str(metadata.output(tuner, "tuner_results")))
    trials = json.loads((results / TRIALS_FILE).read_text(encoding="utf-8"))
    place.mkdir(parents=True, exist_ok=True)
    texts = {
        TRIALS_FILE: json.dumps(trials, indent=1),
        BEST_FILE: yaml.safe_dump(best_config(config, trials), sort_keys=False),
        PAGE_FILE: render_trials(trials),
    }
    for name, text in texts.items():
        write_whole(place / name, text)
    return trials


def best_values(trials: dict[str, Any]) -> dict[str, Any]:
    """The settings of the best trial, by dotted name."""
    values: dict[str, Any] = trials["trials"][trials["best"] - 1]["values"]
    return values


def best_config(config: Config, trials: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults in a run with the best settings and no search."""
    content = config.model_dump(mode="json", exclude_defaults=True, exclude={"tuning"})
    for section, values in tuned(best_values(trials)).items():
        content[section] = {**content.get(section, {}), **values}
    return content


def trials_table(trials: dict[str, Any]) -> Table:
    """The best trials."""
    done = [row for row in trials["trials"] if row["status"] == "COMPLETED"]
    ranked = sorted(done, key=lambda row: -row["score"])
    table = Table(
        title=f"Trials, best first: {min(len(ranked), SHOWN)} of {len(trials['trials'])}",
        title_justify="left",
    )
    for title in ("trial", "score", "NDCG", "hit rate@10", "RMSE", "epochs", "seconds"):
        table.add_column(title, justify="right")
    for row in ranked[:SHOWN]:
        names = ("score", "ndcg", "hit_rate@10", "rmse")
        cells = (f"{row[name]:.4f}" if name in row else "" for name in names)
        table.add_row(str(row["trial"]), *cells, f"{row['epochs']:.0f}", f"{row['seconds']:.0f}")
    return table


def settings_table(trials: dict[str, Any]) -> Table:
    """The configuration's own settings beside the best trial's."""
    table = Table(title="Settings", title_justify="left")
    for title in ("setting", "yours", "best"):
        table.add_column(title, justify="left" if title == "setting" else "right")
    for name, value in best_values(trials).items():
        table.add_row(name, f"{trials['own'][name]}", f"{value}")
    return table
