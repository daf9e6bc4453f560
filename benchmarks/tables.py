"""The tuning tables of public write-ups on the tutorials' models, on data that you have.

    python -m benchmarks.tables --source movielens-latest [--data-dir DIR] [--seed 42]
        [--rows FILE] [--out runs/tables]

Every row of `benchmarks/tutorials/tables.yaml` is a training of the tutorials' model under their
protocol: a random 80/20 split, no valid. Greenlight's default runs in the same command, its valid
taken out of its train, and is asked for the same eval ratings. All models answer as exported.
"""

import argparse
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.accuracy import answers, run_pipeline
from benchmarks.training import learned

Figures = dict[str, float]
ROWS = Path(__file__).parent / "tutorials" / "tables.yaml"
TUTORIAL = ["split.valid=0", "split.window_length=1"]
OURS, POPULAR, BIAS = "Greenlight's default", "popularity", "user+movie bias"
KS = (1, 5, 10, 50, 100)
RANKED = [*(f"top-{k}" for k in KS), "hit_rate@10", "hit_rate@100"]
COLUMNS = {"retrieval": RANKED, "ranking": ["rmse"], "joint": ["top-100", "hit_rate@10", "rmse"]}


def main() -> None:
    """Trains every row; prints each table and writes the figures as JSON when its rows are done."""
    options = _options()
    out = Path(options.out, options.source)
    content = yaml.safe_load(Path(options.rows).read_text(encoding="utf-8"))
    shared = content.pop("shared")
    tutorial = run_pipeline(options, out, options.seed, [*TUTORIAL, *_settings(shared)])
    ours = run_pipeline(options, out, options.seed)
    own = answers(ours)
    rest = {OURS: figures(own), **baselines(own)}
    results: dict[str, list[tuple[str, Figures]]] = {}
    for table, part in content.items():
        results[table] = []
        for row in track(part["rows"], f"Training: {table}", console=Console(stderr=True)):
            settings = [*TUTORIAL, *_settings({**shared, **part["shared"], **row})]
            answer, _ = learned(options, tutorial, options.seed, settings)
            if sorted(answer["label"]) != sorted(own["label"]):
                raise SystemExit("The splits hold out different ratings: no comparing them.")
            results[table].append((label_of(row), figures(answer)))
        _show(table, [*results[table], *rest.items()])
        (out / "tables.json").write_text(json.dumps({"tables": results, "beside": rest}, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", default="movielens-latest")
    parser.add_argument("--data-dir")
    parser.add_argument("--rows", default=str(ROWS))
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", default="runs/tables")
    parser.set_defaults(split="random", settings=[])
    return parser.parse_args()


def _settings(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={json.dumps(value)}" for name, value in values.items()]


def figures(columns: Mapping[str, NDArray[Any]], prefix: str = "") -> Figures:
    """Hit rates with nothing left out (top-k), with seen movies left out, and RMSE."""
    ranks, unmasked = columns[f"{prefix}rank"], columns[f"{prefix}unmasked_rank"]
    square = np.square(columns["rating"] - columns["label"])
    return {
        **{f"top-{k}": float((unmasked <= k).mean()) for k in KS},
        **{f"hit_rate@{k}": float((ranks <= k).mean()) for k in (10, 100)},
        "rmse": float(np.sqrt(square.mean())),
    }


def baselines(columns: Mapping[str, NDArray[Any]]) -> dict[str, Figures]:
    """What popularity ranks and the bias predicts, as the exported model has them."""
    popular = figures(columns, "popularity_")
    popular.pop("rmse")
    square = np.square(columns["bias_rating"] - columns["label"])
    return {POPULAR: popular, BIAS: {"rmse": float(np.sqrt(square.mean()))}}


def label_of(row: Mapping[str, Any]) -> str:
    """A row's settings in short: the tutorials count the perceptron's output as a layer."""
    parts = []
    for name, value in row.items():
        field = name.partition(".")[2]
        layers = "-".join(map(str, [*value, 1])) if isinstance(value, list) else value
        parts.append(f"{field} {layers}")
    return ", ".join(parts).replace("rating_layers ", "")


def _show(name: str, rows: list[tuple[str, Figures]]) -> None:
    table = Table(title=name, title_justify="left")
    table.add_column("")
    for column in COLUMNS[name]:
        table.add_column(column, justify="right")
    for label, values in rows:
        cells = [f"{values[column]:.4f}" if column in values else "" for column in COLUMNS[name]]
        if any(cells):
            table.add_row(label, *cells)
    Console(width=140).print(table)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
