"""Measures warm against cold starts, span after span, through the whole pipeline.

    python -m benchmarks.continuous [--spans 5] [--window 3] [--out DIR] [--arms NAME ...]
        [--set key=value ...]

The embedded ratings are cut by time into spans that arrive one by one. All arms read the same files
and are judged by the same gates, each against its own latest blessed model.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from data import EMBEDDED
from schemas.artifacts import BLESSING_FILE

ARMS = {
    "cold": (),
    "cold, as short": ("training.epochs=4",),  # as many as a warm start takes
    "warm": ("training.warm_start=true",),
}
SOURCE = """
scale: [0.5, 5]
ratings:
  files: ratings-{SPAN}.csv
  columns: {user_id: userId, movie_id: movieId, rating: rating, timestamp: timestamp}
movies:
  files: movies.csv
  columns: {movie_id: movieId, movie_title: title}
  year: {column: title, pattern: '\\((\\d{4})\\)'}
  genres: {column: genres, separator: '|'}
"""


def main() -> None:
    """Runs the arms and prints one line per run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--spans", type=int, default=5)
    options.add_argument("--window", type=int, default=3)
    options.add_argument("--out", type=Path, default=Path("runs/continuous"))
    options.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    options.add_argument("--set", action="append", default=[], dest="settings")
    chosen = options.parse_args()
    table = Table("newest span", "start", "blessed", "epochs", "training s", "hit rate@10",
                  "NDCG@10", "RMSE", "hit rate, change", "RMSE, change")  # fmt: skip
    shutil.rmtree(chosen.out / "data", ignore_errors=True)
    for newest, text in enumerate(spans(chosen.spans), 1):
        deliver(chosen.out / "data", newest, text)
        if newest >= chosen.window:
            for arm in chosen.arms:
                run = run_pipeline(chosen.out, arm, chosen.window, chosen.settings)
                table.add_row(str(newest), arm, *figures(run))
    Console(width=140).print(table)


def spans(count: int) -> list[str]:
    """The embedded ratings, cut by time into so many parts of one size."""
    header, *rows = (EMBEDDED / "ratings.csv").read_text(encoding="utf-8").splitlines()
    times = np.array([int(row.rpartition(",")[2]) for row in rows])
    parts = np.array_split(np.argsort(times, kind="stable"), count)
    return ["\n".join([header, *(rows[row] for row in part), ""]) for part in parts]


def deliver(folder: Path, span: int, ratings: str) -> None:
    """Puts one more span there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.yaml").write_text(SOURCE, encoding="utf-8")
    shutil.copy(EMBEDDED / "movies.csv", folder)
    (folder / f"ratings-{span}.csv").write_text(ratings, encoding="utf-8")


def run_pipeline(out: Path, arm: str, window: int, settings: list[str]) -> dict[str, Any]:
    """One `greenlight run`; returns its blessing.json."""
    own = [f"spans.window={window}", *ARMS[arm]]
    data = out / "data"
    command = [sys.executable, "-m", "pipeline.cli", "run", "--output-dir", str(out / arm),
               "--source", str(data / "source.yaml"), "--data-dir", str(data)]  # fmt: skip
    command += [part for setting in [*own, *settings] for part in ("--set", setting)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(done.stdout + done.stderr)
    report = out / arm / "reports/latest" / BLESSING_FILE
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def figures(run: dict[str, Any]) -> list[str]:
    """The cells of one run."""
    whole = run["metrics"]["overall"]
    changes = {
        gate["metric"]: f"{gate['value']:+.4f}"
        for gate in run["gates"]
        if gate["kind"] == "blessed"
    }
    epochs = run["training"]["epochs"]
    return [
        "yes" if run["blessed"] else "no",
        f"{run['training']['best_epoch']} of {len(epochs)}",
        f"{sum(epoch['seconds'] for epoch in epochs):.1f}",
        *(f"{whole[name]:.4f}" for name in ("hit_rate@10", "ndcg@10", "rmse")),
        changes.get("hit_rate@10", ""),
        changes.get("rmse", ""),
    ]


if __name__ == "__main__":
    main()
