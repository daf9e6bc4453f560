"""Weighs the order of a user's ratings (ListMLE) against their size.

    python -m benchmarks.listwise --source movielens-latest --split random [--data-dir DIR]
        [--seeds 42 43 44] [--shares .25 .5 .999] [--out runs/listwise]

The pipeline runs once; every row is then a training of the rating task alone on its Examples (the
heads share no weights, so lists are left out to save their time). The best epoch is chosen by
squared error on valid in all.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.accuracy import Figures, accuracy_options, rating, run_pipeline
from benchmarks.data import read_split
from benchmarks.training import learned
from schemas.source import load_source

ALONE = [
    "model.retrieval_weight=0", "model.dims=8", "model.hidden=8", "model.max_softmax=32",
    "model.linear_movies=0",
]  # fmt: skip
COLUMNS = ("rmse", "rated ndcg@10", "rated ndcg")


def main() -> None:
    """Measures, writes every seed's figures as JSON while they come, and prints the table."""
    parser = accuracy_options(__doc__, "runs/listwise")
    parser.add_argument("--shares", nargs="+", default=["0.25", "0.5", "0.999"])
    options = parser.parse_args()
    out = Path(options.out, f"{options.source}-{options.split}")
    _show(f"{options.source}, {options.split}", measured(options, out))


def measured(options: argparse.Namespace, out: Path) -> dict[str, list[Figures]]:
    """The figures of each row, seed by seed; the first row has no share of the order."""
    run = run_pipeline(options, out, options.seeds[0], [*ALONE, "training.epochs=0"])
    split = read_split(run.examples, run.catalogue, load_source(options.source).scale)
    found: dict[str, list[Figures]] = {row: [] for row in ["0", *options.shares]}
    trainings = [(row, seed) for seed in options.seeds for row in found]
    for row, seed in track(trainings, "Training", console=Console(stderr=True)):
        settings = [*ALONE, f"model.listwise_share={row}"]
        answer, seconds = learned(options, run, seed, settings)
        found[row].append({**rating(split, answer["rating"]), "seconds": seconds})
        (out / "listwise.json").write_text(json.dumps(found, indent=1))
    return found


def _show(title: str, results: dict[str, list[Figures]]) -> None:
    table = Table(title=title, title_justify="left", caption="± over seeds; gain: seed by seed")
    for column in ("share", *COLUMNS, "gain@10", "seconds"):
        table.add_column(column, justify="right")
    base = np.array([f["rated ndcg@10"] for f in results["0"]])
    for row, found in results.items():
        cells = [_told([f[column] for f in found]) for column in COLUMNS]
        gain = np.array([f["rated ndcg@10"] for f in found]) - base
        seconds = float(np.mean([f["seconds"] for f in found]))
        table.add_row(row, *cells, _told(gain), f"{seconds:.0f}")
    Console(width=120).print(table)


def _told(values: list[float]) -> str:
    return f"{np.mean(values):.4f} ± {np.std(values):.4f}"


if __name__ == "__main__":
    main()
