"""Measures one training step at several sizes of the tables: CPU-seconds and memory.

    python -m benchmarks.training_step [--sizes 1682,943 3706,6040 60000,1000000] [--text 12]
        [--set key=value]

A step predicts some 2,000 events of users who have a hundred each, with default settings, ordered.
Each size has a process of its own, so that its peak of memory is its own too. Beside each stands
the public tutorials' model (`towers=ids`), in whose step every row of its tables is updated. With
`--text` each movie has so many of 5,000 terms, as texts give them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SIZES = ("1682,943", "9742,610", "3706,6040", "20000,138000", "60000,1000000")
LENGTH, USERS, STEPS, WARM = 100, 20, 30, 3
MODELS = {"Greenlight": {}, "the tutorials' model": {"towers": "ids", "dims": 32}}
TERMS = 5_000  # of all texts
RATERS = 250_000  # pairs of movies and raters, as many as the trainer keeps


def main() -> None:
    """Prints one table; with `--one`, one measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="movies,users")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--text", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*json.loads(options.one))))
        return
    table = Table(title=f"One step of {USERS * LENGTH:,} targets")
    for column in ("", "movies", "users", "CPU-s a step", "wall s", "peak MB"):
        table.add_column(column, justify="right" if column else "left")
    given = dict(setting.split("=", 1) for setting in options.settings)
    for size in options.sizes:
        movies, users = map(int, size.split(","))
        for name in options.models:
            found = _alone(movies, users, {**MODELS[name], **given}, options.text)
            table.add_row(
                name, f"{movies:,}", f"{users:,}", f"{found['cpu']:.3f}", f"{found['wall']:.3f}",
                f"{found['megabytes']:,}",
            )  # fmt: skip
    Console(width=100).print(table)


def _alone(movies: int, users: int, given: dict[str, object], terms: int) -> dict[str, float]:
    """A measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training_step", "--one"]
    done = subprocess.run(
        [*command, json.dumps([movies, users, given, terms])], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(movies: int, users: int, given: dict[str, object], terms: int) -> dict[str, float]:
    """CPU-seconds and wall seconds of a step, and the megabytes that the process needed."""
    import tempfile

    from components.model import randomness
    from components.model.config import ModelConfig, TrainingConfig
    from components.trainer.fit import Fit
    from components.trainer.models import build_model
    from components.trainer.rounds import Rounds

    rng = np.random.default_rng(1)
    randomness.seed(1)
    facts = measured_facts(movies, users, rng)
    if terms:
        drawn = rng.zipf(1.3, [movies, terms]).astype(np.int64) % TERMS
        facts = replace(facts, features={**facts.features, "plot": drawn.astype(np.int32)})
    model = build_model(ModelConfig.model_validate(given), facts, ordered=True)
    windows = [_window(movies, users, facts.counts, rng) for _ in range(8)]
    model.compute_loss(windows[0])
    with tempfile.TemporaryDirectory() as folder:
        averaged = model.averaged()
        fit = Fit(model, TrainingConfig(), Rounds(1, 1, 1000), folder, model.tasks(), averaged)
        for step in range(WARM + STEPS):
            if step == WARM:
                started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
            fit._step(windows[step % len(windows)])
        after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "cpu": cpu / STEPS,
        "wall": (time.monotonic() - started) / STEPS,
        "megabytes": after.ru_maxrss // 1024,
    }


def measured_facts(movies: int, users: int, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    from components.model.facts import Facts, Raters

    counts = np.ceil(1e6 / (30.0 + np.arange(movies)) ** 1.15)
    pairs = np.unique(
        np.stack([rng.integers(0, movies, RATERS), rng.integers(0, users, RATERS)]), axis=1
    )
    genres = rng.integers(0, 20, [movies, 4]).astype(np.int32)
    return Facts(
        movie_ids=[b"%d" % i for i in range(movies)],
        movie_titles=[b"Film %d" % i for i in range(movies)],
        id_rows=np.arange(movies, dtype=np.int32),
        oov_rows=(movies + np.arange(movies) % 4).astype(np.int32),
        features={"genres": genres, "year": rng.integers(0, 80, [movies, 1]).astype(np.int32)},
        user_ids=[b"%d" % i for i in range(users)],
        user_features={},
        scale=(0.5, 5.0),
        counts=counts,
        rated_counts=counts,
        rating_sums=counts * rng.uniform(2, 4.5, movies),
        squares=float(counts.sum() * 13),
        raters=Raters(
            pairs[0].astype(np.int32),
            pairs[1].astype(np.int32),
            (1 / np.sqrt(np.bincount(pairs[0], minlength=movies)))[pairs[0]].astype(np.float32),
        ),
    )


def _window(movies: int, users: int, counts, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    import tensorflow as tf

    from components.model.window import Window

    drawn = rng.choice(movies, [USERS, LENGTH], p=counts / counts.sum())
    rating = rng.integers(1, 11, [USERS, LENGTH]) / 2
    ones = np.ones([USERS, LENGTH], np.float32)
    return Window(
        tf.constant(rng.integers(0, users, USERS), tf.int32),
        tf.zeros([USERS, 0], tf.int32),
        tf.constant(drawn, tf.int32),
        tf.constant(rating, tf.float32),
        tf.constant(ones),
        tf.constant(ones),
        tf.constant(np.tile(np.arange(LENGTH), [USERS, 1]), tf.int32),
        tf.zeros([USERS, 1, 0], tf.int32),
    )


if __name__ == "__main__":
    main()
