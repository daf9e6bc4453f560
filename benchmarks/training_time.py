"""Times training on synthetic ratings, beside the public tutorials' model on the same ones.

    python -m benchmarks.training_time [--ratings 1000000] [--set key=value ...]

Both run as their user runs them, the whole pipeline in a process of its own, whose peak memory is
told too. The split is the default one, by time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pyarrow.csv
from rich.console import Console
from rich.table import Table

from benchmarks import synthetic
from pipeline.metadata import Metadata
from schemas.artifacts import HISTORY_FILE, Node

TUTORIAL = Path(__file__).parent / "tutorials" / "tutorial-joint.yaml"
SYSTEMS = {
    "Greenlight": [],
    "the tutorials' model": [
        "--config",
        str(TUTORIAL),
        "--set",
        "split.kind=temporal",
        "--set",
        "split.valid=0.1",
        "--set",
        "split.eval=0.1",
    ],
}


class Training(NamedTuple):
    """What a finished run says of its Trainer, and the megabytes that all of the run needed."""

    seconds: float
    epochs: int
    epoch_seconds: float
    loss: float
    megabytes: int


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        synthetic.write(data, options.ratings)
        trainings = {
            name: train(data, Path(folder, str(i)), [*own, *_settings(options.settings)])
            for i, (name, own) in enumerate(SYSTEMS.items())
        }
        movies = pyarrow.csv.read_csv(data / "movies.csv").num_rows
    _show(f"{options.ratings:,} synthetic ratings of {movies:,} movies", options.ratings, trainings)


def _settings(settings: list[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def train(data: Path, out: Path, arguments: list[str]) -> Training:
    """Runs the pipeline on some data."""
    command = [sys.executable, "-m", "pipeline.cli", "run", "--source", "movielens-latest"]
    command += ["--data-dir", str(data), "--output-dir", str(out), *arguments]
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"The run failed: {out}/greenlight.log says why.")
    metadata = Metadata(str(out / "metadata.sqlite"))
    node = {run.node: run for run in metadata.nodes_since(0)}[Node.TRAINER]
    folder = metadata.output(node, "model_run")
    if folder is None:
        raise SystemExit(f"{out} holds no history of the training.")
    history = json.loads(Path(folder, HISTORY_FILE).read_text())
    epochs = history["epochs"]
    return Training(
        node.seconds,
        len(epochs),
        sum(epoch["seconds"] for epoch in epochs),
        epochs[-1]["loss"],
        used.ru_maxrss // 1024,
    )


def _show(title: str, ratings: int, trainings: dict[str, Training]) -> None:
    table = Table(title=title, caption="ratings/s: of train and valid, read once an epoch")
    for column in ("", "Trainer, s", "epochs", "ratings/s", "loss", "peak MB of the run"):
        table.add_column(column, justify="right" if column else "left")
    for name, run in trainings.items():
        speed = ratings * 0.9 * run.epochs / run.epoch_seconds
        table.add_row(
            name, f"{run.seconds:.0f}", f"{run.epochs}", f"{speed:,.0f}", f"{run.loss:.3f}",
            f"{run.megabytes:,}",
        )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
