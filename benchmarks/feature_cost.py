"""Measures what a feature of each kind adds to the CPU time of a training step.

    python -m benchmarks.feature_cost [--movies 9742] [--users 610] [--steps 40]

All models are in one process and step in turn, so that whatever else the machine does falls on all
of them alike; what is shown are medians. Each has genres and year, and one feature more: as many
values as data sets have, a date's three parts, or twelve of 5,000 terms for each movie's text.
"""

import argparse
import os
import resource
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import training_step
from benchmarks.data import Array

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

Rows = dict[str, Array]
Step = Callable[[int], Any]
TERMS, KEPT = training_step.TERMS, 12
NUMBERS = ("minutes", "day")


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movies", type=int, default=9742)
    parser.add_argument("--users", type=int, default=610)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    seconds = measure(options.movies, options.users, options.steps)
    table = Table(title=f"One step, {options.movies:,} movies, {options.users:,} users")
    for column in ("feature of movies", "CPU-s a step", "beside none"):
        table.add_column(column, justify="left" if column.startswith("feature") else "right")
    for name, spent in seconds.items():
        table.add_row(name, f"{spent:.4f}", f"{spent / seconds['none'] - 1:+.1%}")
    Console(width=100).print(table)


def features(movies: int) -> dict[str, Rows]:
    """The rows of each kind's feature, int32 [movies, values]."""
    rng = np.random.default_rng(2)

    def drawn(values: int, width: int) -> Array:
        return rng.integers(0, values, [movies, width]).astype(np.int32)

    words = rng.zipf(1.3, [movies, KEPT]).astype(np.int64) % TERMS
    return {
        "none": {},
        "category": {"studio": drawn(500, 1)},
        "categories": {"keywords": drawn(1000, 4)},
        "number": {"minutes": drawn(10, 1)},
        "date": {"day": drawn(10, 1), "day_month": drawn(12, 1), "day_weekday": drawn(7, 1)},
        "text": {"plot": words.astype(np.int32)},
    }


def measure(movies: int, users: int, steps: int) -> dict[str, float]:
    """The median of a step's CPU-seconds, by kind."""
    with tempfile.TemporaryDirectory() as folder:
        models = {
            name: _stepping(movies, users, rows, f"{folder}/{name}")
            for name, rows in features(movies).items()
        }
        spent: dict[str, list[float]] = {name: [] for name in models}
        for number in range(training_step.WARM + steps):
            for name, step in models.items():
                before = _cpu()
                step(number)
                spent[name].append(_cpu() - before)
    return {name: float(np.median(own[training_step.WARM :])) for name, own in spent.items()}


def _stepping(movies: int, users: int, rows: Rows, folder: str) -> Step:
    """A model with this feature, ready to step."""
    from components.model import randomness
    from components.model.config import ModelConfig, TrainingConfig
    from components.trainer.fit import Fit
    from components.trainer.models import build_model
    from components.trainer.rounds import Rounds

    rng = np.random.default_rng(1)
    randomness.seed(1)
    facts = training_step.measured_facts(movies, users, rng)
    numbers = {name: rng.normal(size=movies).astype(np.float32) for name in rows if name in NUMBERS}
    facts = replace(facts, features={**facts.features, **rows}, normalised=numbers)
    model = build_model(ModelConfig(), facts, ordered=True)
    windows = [training_step._window(movies, users, facts.counts, rng) for _ in range(8)]
    model.compute_loss(windows[0])
    rounds = Rounds(1, 1, 1000)
    fit = Fit(model, TrainingConfig(), rounds, folder, model.tasks(), model.averaged())
    return lambda number: fit._step(windows[number % len(windows)])


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
