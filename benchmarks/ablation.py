"""Switches off one lever at a time, and weighs the two tasks against each other.

    python -m benchmarks.ablation --source movielens-latest --split random [--data-dir DIR]
        [--seeds 42] [--out runs/ablation] [--only levers | crosses | weights]

The pipeline runs once; every row is then a training on its Examples with one setting changed, and
its export answers for every eval row. Each of the source's features is a lever, too. The weights
are tried on the tutorials' towers as well, in which both tasks share the embeddings, and drawn as
one chart (they need `--split random`).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import weights_chart
from benchmarks.accuracy import (
    COLUMNS,
    Figures,
    accuracy_options,
    ranking,
    rating,
    run_pipeline,
)
from benchmarks.data import read_split
from benchmarks.training import learned
from schemas.source import load_source

LEVERS = {
    "the default": [],
    "no refit": ["training.refit=false"],
    "no linear path": ["model.linear_movies=0"],
    "no out-of-vocabulary training": ["model.id_dropout=0"],
    "one rating head": ["model.rating_heads=1"],
    "rating tables held back half as much": ["model.rating_caution=1"],
    "rating tables not held back": ["model.rating_caution=0"],
    "rating weights not averaged": ["training.average_weights=false"],
    "softmax over 512 movies": ["model.max_softmax=512"],
}
CROSSES = {
    "the default": [],
    "a cross layer in each tower": ["model.cross_layers=1"],
    "a cross layer in the rating head": ["model.rating_cross_layers=1"],
    "two in all three": ["model.cross_layers=2", "model.rating_cross_layers=2"],
}
WEIGHTS = ((1.0, 0.0), (1.0, 0.25), (1.0, 1.0), (0.25, 1.0), (0.0, 1.0))  # retrieval, rating
TOWERS = [
    "split.window_length=1", "model.towers=ids", "model.dims=32", "model.linear_movies=0",
    "training.optimizer=adagrad", "training.learning_rate=0.1", "training.positions=8192",
    "training.epochs=3",
]  # fmt: skip
MODELS = {"Greenlight": [], "the tutorials' towers": TOWERS}


def main() -> None:
    """Measures, prints the tables and writes them as JSON, and the weights as a chart."""
    parser = accuracy_options(__doc__, "runs/ablation")
    parser.add_argument("--only", choices=("levers", "crosses", "weights"))
    options = parser.parse_args()
    out = Path(options.out, f"{options.source}-{options.split}")
    content = {}
    if options.only in (None, "levers"):
        content["levers"] = measured(options, out, [], {**LEVERS, **_features(options.source)})
        _show(f"{options.source}, {options.split}: one lever switched off", content["levers"])
    if options.only in (None, "crosses"):
        content["crosses"] = measured(options, out, [], CROSSES)
        _show(f"{options.source}, {options.split}: cross layers", content["crosses"])
    if options.only in (None, "weights"):
        for model, settings in MODELS.items():
            content[model] = measured(options, out, settings, dict(map(_weighed, WEIGHTS)))
            _show(f"{options.source}, {options.split}: {model} by weights", content[model])
        weights_chart.draw({model: content[model] for model in MODELS}, out / "weights.svg")
    (out / "ablation.json").write_text(json.dumps(content, indent=1))


def _features(name: str) -> dict[str, list[str]]:
    """A row for each feature that the source has, and one for all of them."""
    source = load_source(name)
    known = [*source.features.users, *source.features.movies]
    rows = {f"no {feature}": [f"model.ignored=[{feature}]"] for feature in known}
    return {**rows, "no features": [f"model.ignored=[{', '.join(known)}]"]} if known else {}


def _weighed(weights: tuple[float, float]) -> tuple[str, list[str]]:
    """A row's name and settings. A task of no weight leaves its head as it was drawn."""
    retrieval, rated = weights
    name = f"retrieval {retrieval:g}, rating {rated:g}"
    return name, [f"model.retrieval_weight={retrieval}", f"model.rating_weight={rated}"]


def measured(
    options: argparse.Namespace, out: Path, settings: list[str], rows: dict[str, list[str]]
) -> dict[str, Figures]:
    """The figures of each row, means over the seeds."""
    run = run_pipeline(options, out, options.seeds[0], settings)
    split = read_split(run.examples, run.catalogue, load_source(options.source).scale)
    results = {}
    for name, changed in track(rows.items(), "Training", console=Console(stderr=True)):
        runs = []
        for seed in options.seeds:
            answer, seconds = learned(options, run, seed, [*settings, *changed])
            figures = {**ranking(split, answer["rank"]), **rating(split, answer["rating"])}
            runs.append({**figures, "seconds": seconds})
        results[name] = {key: float(np.mean([f[key] for f in runs])) for key in runs[0]}
    return results


def _show(title: str, rows: dict[str, Figures]) -> None:
    table = Table(title=title, title_justify="left")
    for column in ("", *COLUMNS):
        table.add_column(column)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[column]:{form}}" for column, form in COLUMNS.items()))
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
