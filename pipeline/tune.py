"""`greenlight tune`: the pipeline up to its Tuner, and what the search found."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from components.model.config import tuned
from pipeline.config import Config, load_config

BEST_FILE, TRIALS_FILE, PAGE_FILE = "best.yaml", "trials.json", "index.html"
SHOWN = 10


def tune(
    config: Annotated[str | None, typer.Option(help="a YAML file with any of the settings")] = None,
    source: Annotated[
        str | None, typer.Option(help="name of a source, or your own YAML file")
    ] = None,
    data_dir: Annotated[str | None, typer.Option(help="where the source's files are")] = None,
    output_dir: Annotated[str | None, typer.Option(help="where everything is written")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="one setting, such as tuning.minutes=60; may be repeated"),
    ] = None,
) -> None:
    """Searches for better settings here, scored on valid; goes on where an earlier search ended."""
    from pipeline.local import tune_local

    given = {"source": source, "data_dir": data_dir, "output_dir": output_dir}
    asked = [*(settings or []), "tuning.enabled=true"]
    found, place = tune_local(load_config(config, asked, **given))
    for name, value in best_values(found).items():
        typer.echo(f"  --set {name}={value}")
    typer.echo(f"The trials: {place / PAGE_FILE}")
    typer.echo(f"To train with the best: greenlight run --config {place / BEST_FILE}")


def publish_trials(config: Config, results: str | None, place: Path) -> dict[str, Any]:
    """Writes the page of the trials, their figures and the best settings, each file at once.

    Args:
      config: what the search was run with.
      results: the Tuner's artifact.
      place: the folder to write to.
    """
    from components.report.tuning import render_trials

    found = json.loads(Path(str(results), TRIALS_FILE).read_text(encoding="utf-8"))
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
        cells = (f"{row[name]:.4f}" for name in ("score", "ndcg", "hit_rate@10", "rmse"))
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
