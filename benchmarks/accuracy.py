"""Holds Greenlight against its peers on one data set under one protocol.

    python -m benchmarks.accuracy --source movielens-latest --split random
        [--data-dir DIR] [--seeds 42 43 44] [--peers EASE myFM ...] [--out runs/accuracy]
        [--set key=value ...]

Greenlight runs as its user runs it, once per seed, through the whole pipeline; its exported model
then answers `evaluate` for every eval row. The peers learn from the same train rows, are tuned on
the same valid rows, learn again from both, and predict the same eval rows from the same histories.
Needs the peers' libraries: pip install -e .[benchmarks]

`python -m benchmarks.accuracy_tables` takes what it wrote into the tables of the README and docs/.
"""

import argparse
import datetime
import json
import math
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import accuracy_chart, rating_peers, retrieval_peers
from benchmarks.data import Rows, Split, read_split
from benchmarks.rated_lists import rated_ndcg
from components.evaluation.measures import rank_columns
from components.evaluation.metric_name import NDCG, MetricName
from components.examples.records import records
from pipeline.metadata import Metadata
from schemas.artifacts import CATALOGUE, SPLIT_PREFIX, Node
from schemas.source import load_source

Array = NDArray[Any]
Figures = dict[str, float]
# The split of the protocol's name; its own share of valid is what all are tuned on.
PROTOCOLS = {
    "random": ["split.kind=random", "split.valid=0.1", "split.eval=0.2"],
    "leave_last_one": ["split.kind=leave_last_n", "split.n=1"],
    "temporal": ["split.kind=temporal"],
}
COLUMNS = {
    "hit_rate@10": ".4f", "hit_rate@100": ".4f", "ndcg@10": ".4f", "rmse": ".4f",
    "rated ndcg@10": ".4f", "new users: hit_rate@10": ".4f", "new users: rmse": ".4f",
    "same sitting: hit_rate@10": ".4f", "after a pause: hit_rate@10": ".4f",
    "first of all: hit_rate@10": ".4f", "seconds": ".0f",
}  # fmt: skip
OURS = "Greenlight"


class Run(NamedTuple):
    """Where a finished run left what is measured, and how long its training took."""

    examples: str
    catalogue: str
    transform_graph: str
    model: str
    seconds: float


def main() -> None:
    """Measures, prints one table and writes everything as JSON and as a chart."""
    options = accuracy_options(__doc__, "runs/accuracy").parse_args()
    out = Path(options.out, f"{options.source}-{options.split}")
    runs = [run_pipeline(options, out, seed) for seed in options.seeds]
    read = partial(
        read_split, runs[0].examples, runs[0].catalogue, load_source(options.source).scale
    )
    split = read()
    ours = [figures(split, run) for run in runs]
    results = {OURS: {name: float(np.mean([o[name] for o in ours])) for name in ours[0]}}
    noise = {name: float(np.std([o[name] for o in ours])) for name in ours[0]}
    settings = {OURS: f"default, {len(runs)} seeds"}
    _add_peers(split, read(["train", "valid"]), options.peers, results, settings)
    _show(options, split, results, noise, settings)
    tenths = calibration(split, runs[0])
    _show_calibration(tenths)
    content = {
        **measured_as(options),
        "rows": len(split.eval.user),
        "results": {system: numbers(row) for system, row in results.items()},
        "noise": numbers(noise),
        "settings": settings,
        "calibration": tenths,
    }
    (out / "accuracy.json").write_text(json.dumps(content, indent=1))
    accuracy_chart.draw({out.name: content}, out / "accuracy.svg")


def accuracy_options(description: str | None, out: str) -> argparse.ArgumentParser:
    """The options that both benchmarks of accuracy have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", default="movielens-latest")
    parser.add_argument("--data-dir")
    parser.add_argument("--split", choices=PROTOCOLS, default="temporal")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--out", default=out)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    names = [*retrieval_peers.PEERS, *rating_peers.PEERS]
    parser.add_argument("--peers", nargs="*", default=names, choices=names, help="all, unless told")
    return parser


def measured_as(options: argparse.Namespace) -> dict[str, Any]:
    """Which data and protocol were measured, when, and by what command; no folder is named."""
    command = ["python", "-m", "benchmarks.accuracy", "--source", options.source]
    command += ["--data-dir", "DIR"] if options.data_dir else []
    command += ["--split", options.split, "--seeds", *map(str, options.seeds)]
    command += [part for setting in options.settings for part in ("--set", setting)]
    return {
        "source": options.source,
        "split": options.split,
        "seeds": options.seeds,
        "command": shlex.join(command),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def numbers(figures: Figures) -> Figures:
    """The figures that have a value: JSON has no word for NaN."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def run_pipeline(
    options: argparse.Namespace, out: Path, seed: int, settings: Sequence[str] = ()
) -> Run:
    """Runs the pipeline; what it does not have to do again comes from its cache."""
    command = [sys.executable, "-m", "pipeline.cli", "run", "--source", options.source]
    command += ["--output-dir", str(out)]
    command += ["--data-dir", options.data_dir] if options.data_dir else []
    given = chosen(options, seed, settings)
    command += [part for setting in given for part in ("--set", setting)]
    metadata = out / "metadata.sqlite"
    before = Metadata(str(metadata)).newest() if metadata.exists() else 0
    if subprocess.run(command, check=False).returncode not in (0, 3):
        raise SystemExit(f"The run failed: {out}/greenlight.log says why.")
    found = Metadata(str(metadata))
    nodes = {run.node: run for run in found.nodes_since(before)}
    uris = {
        key: str(found.output(nodes[node], key))
        for node, key in (
            (Node.EXAMPLE_GEN, "examples"),
            (Node.EXAMPLE_GEN, CATALOGUE),
            (Node.TRANSFORM, "transform_graph"),
            (Node.TRAINER, "model"),
        )
    }
    return Run(**uris, seconds=nodes[Node.TRAINER].seconds)


def chosen(options: argparse.Namespace, seed: int, settings: Sequence[str]) -> list[str]:
    """All settings of a run: the protocol's first, then the command line's, then its own."""
    return [*PROTOCOLS[options.split], f"training.seed={seed}", *options.settings, *settings]


def answers(run: Run) -> dict[str, Array]:
    """What the exported model says of every eval row."""
    model = tf.saved_model.load(f"{run.model}/Format-Serving")
    files = sorted(tf.io.gfile.glob(f"{run.examples}/{SPLIT_PREFIX}eval/*"))
    parts = [model.signatures["evaluate"](examples=batch) for batch in records(files, 256)]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}


def figures(split: Split, run: Run) -> Figures:
    """What the exported model of a run reaches on eval."""
    found = answers(run)
    ranked, rated = ranking(split, found["rank"]), rating(split, found["rating"])
    return {**ranked, **rated, "seconds": run.seconds}


def calibration(split: Split, run: Run) -> list[list[float]]:
    """Mean predicted and mean true rating in each tenth of a run's predictions."""
    predicted = answers(run)["rating"]
    tenths = np.array_split(np.argsort(predicted, kind="stable"), 10)
    true = split.eval.rating
    return [[float(predicted[rows].mean()), float(true[rows].mean())] for rows in tenths]


def ranking(split: Split, rank: Array) -> Figures:
    """Metrics of ranks, overall and in the parts that tell more."""
    rows, hits = split.eval, rank <= 10
    new, pause = rows.user == split.users, rows.after_pause
    return {
        "hit_rate@10": float(hits.mean()),
        "hit_rate@100": float((rank <= 100).mean()),
        "ndcg@10": float(rank_columns(rank, (10,))[MetricName(NDCG, 10)].mean()),
        "new users: hit_rate@10": _mean(hits[new]),
        "same sitting: hit_rate@10": _mean(hits[rows.same_sitting]),
        "after a pause: hit_rate@10": _mean(hits[pause]),
        "first of all: hit_rate@10": _mean(hits[rows.first]),
    }


def rating(split: Split, predicted: Array) -> Figures:
    """RMSE, overall and for users that train does not have; the order of each user's ratings."""
    rows = split.eval
    square = np.square(predicted - rows.rating)
    order = (rows.person, rows.rating, predicted, split.scale[0])
    return {
        "rmse": float(np.sqrt(square.mean())),
        "new users: rmse": _mean(square[rows.user == split.users]) ** 0.5,
        "rated ndcg@10": rated_ndcg(*order, k=10),
        "rated ndcg": rated_ndcg(*order),
    }


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _add_peers(
    split: Split,
    both: Split,
    asked: Sequence[str],
    results: dict[str, Figures],
    settings: dict[str, str],
) -> None:
    """Adds what the peers reach; `both` is the split with valid to be learned from as well."""
    for name in (name for name in retrieval_peers.PEERS if name in asked):
        started, peer = time.monotonic(), retrieval_peers.PEERS[name]
        settings[name] = retrieval_peers.best(split, peer)
        scorer = retrieval_peers.learned(both, peer, settings[name])
        found = ranking(split, retrieval_peers.ranks(both, both.eval, scorer))
        results[name] = {**found, "seconds": time.monotonic() - started}
    for name in (name for name in rating_peers.PEERS if name in asked):
        started, rating_peer = time.monotonic(), rating_peers.PEERS[name]
        settings[name] = rating_peers.best(split, rating_peer)
        rater = rating_peers.learned(both, rating_peer, settings[name])
        found = rating(split, rating_peers.clipped(both, both.eval, rater))
        results[name] = {**found, "seconds": time.monotonic() - started}


def _show(
    options: argparse.Namespace,
    split: Split,
    results: dict[str, Figures],
    noise: Figures,
    settings: dict[str, str],
) -> None:
    rows: Rows = split.eval
    table = Table(
        title=f"{options.source}, {options.split}: {len(rows.user):,} rows, "
        f"{np.mean(rows.user == split.users):.0%} of new users, "
        f"{rows.after_pause.sum():,} after a pause of an hour, {rows.first.sum():,} a user's first",
        caption="seconds of the peers: tuning included; ± over the seeds",
    )
    for title in ("", *COLUMNS, "setting"):
        table.add_column(title)
    for system, figures in results.items():
        cells = [_cell(figures.get(name), form) for name, form in COLUMNS.items()]
        if system == OURS:
            cells = [
                f"{cell} ± {noise[name]:{form}}" if cell else ""
                for cell, (name, form) in zip(cells, COLUMNS.items(), strict=True)
            ]
        table.add_row(system, *cells, settings[system])
    Console(width=200).print(table)


def _show_calibration(tenths: list[list[float]]) -> None:
    table = Table(title="Calibration: mean rating in each tenth of the predictions")
    for title in ("", *map(str, range(1, len(tenths) + 1))):
        table.add_column(title)
    for name, row in zip(("predicted", "true"), zip(*tenths, strict=True), strict=True):
        table.add_row(name, *(f"{value:.2f}" for value in row))
    Console(width=120).print(table)


def _cell(value: float | None, form: str) -> str:
    return "" if value is None or np.isnan(value) else f"{value:{form}}"


if __name__ == "__main__":
    main()
