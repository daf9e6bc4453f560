"""Measures an epoch of as many ratings over few users and movies, and over many: CPU-seconds.

    python -m benchmarks.epoch_growth [--ratings 200000] [--sizes 2000,4000 20000,50000]
        [--set key=value]

Each size has a process of its own. It writes the windows of train as RatingExampleGen does (users
of about as many ratings each, movies by a Zipf-like popularity), reads, learns and averages as the
Trainer does, with default settings, and counts the epochs after the first, in which graphs are
traced. Judging and checkpoints are left out: the one goes with valid's rows, the other with the
seconds between two of them.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.training_step import measured_facts

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SIZES = ("2000,4000", "20000,50000", "20000,4000", "2000,50000")
RATINGS, EPOCHS = 200_000, 2


def main() -> None:
    """Prints one table; with `--one`, one measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="movies,users")
    parser.add_argument("--ratings", type=int, default=RATINGS)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*json.loads(options.one))))
        return
    table = Table(title=f"An epoch of {options.ratings:,} ratings")
    columns = ("movies", "users", "CPU-s", "of it system", "steps", "CPU-s a step", "times")
    for column in columns:
        table.add_column(column, justify="right")
    given = dict(setting.split("=", 1) for setting in options.settings)
    first = 0.0
    for size in options.sizes:
        movies, users = map(int, size.split(","))
        found = _alone([movies, users, options.ratings, given])
        first = first or found["cpu"]
        table.add_row(
            f"{movies:,}", f"{users:,}", f"{found['cpu']:.1f}", f"{found['system']:.1f}",
            f"{found['steps']:.0f}", f"{found['cpu'] / found['steps']:.3f}",
            f"{found['cpu'] / first:.2f}",
        )  # fmt: skip
    Console(width=100).print(table)


def _alone(asked: list[Any]) -> dict[str, float]:
    """A measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.epoch_growth", "--one", json.dumps(asked)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(movies: int, users: int, ratings: int, given: dict[str, object]) -> dict[str, float]:
    """CPU-seconds of an epoch, those of the system among them, and its steps."""
    from components.examples.records import serialized
    from components.model import randomness
    from components.model.config import ModelConfig, TrainingConfig
    from components.trainer.fit import Fit
    from components.trainer.models import build_model
    from components.trainer.rounds import Rounds
    from components.trainer.windows import windows

    rng = np.random.default_rng(1)
    randomness.seed(1)
    facts = measured_facts(movies, users, rng)
    model = build_model(ModelConfig.model_validate(given), facts, ordered=True)
    training, steps = TrainingConfig(), 0
    with tempfile.TemporaryDirectory() as folder:
        file = _write(Path(folder, "train.gz"), facts.counts, users, ratings, rng)
        lookup = _lookup(facts)

        def read(number: int) -> Any:
            return windows(serialized([file]), lookup, training.positions, 100, number)

        model.compute_loss(next(iter(read(0))))
        averaged, rounds = model.averaged(), Rounds(1 + EPOCHS, 1, 1000)
        fit = Fit(model, training, rounds, f"{folder}/checkpoints", model.tasks(), averaged)
        for number in range(1 + EPOCHS):
            if number == 1:
                before = resource.getrusage(resource.RUSAGE_SELF)
            steps = sum(1 for window in read(number) if fit._step(window) is not None)
        after = resource.getrusage(resource.RUSAGE_SELF)
    system = (after.ru_stime - before.ru_stime) / EPOCHS
    return {
        "cpu": (after.ru_utime - before.ru_utime) / EPOCHS + system,
        "system": system,
        "steps": steps,
    }


def _write(path: Path, counts: Any, users: int, ratings: int, rng: np.random.Generator) -> str:
    """Writes the windows of users of about as many ratings each."""
    import tensorflow as tf

    drawn = rng.choice(len(counts), ratings, p=counts / counts.sum())
    own = np.sort(rng.integers(0, users, ratings))
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as file:
        ends = np.searchsorted(own, np.arange(users + 1))
        for user, (start, end) in enumerate(itertools.pairwise(ends)):
            for begin in range(start, end, 100):
                file.write(_window(user, drawn[begin : min(end, begin + 100)], rng))
    return str(path)


def _window(user: int, movies: Any, rng: np.random.Generator) -> bytes:
    import tensorflow as tf

    feature, number = tf.train.Feature, len(movies)
    names = tf.train.BytesList(value=[b"%d" % movie for movie in movies])
    given = tf.train.FloatList(value=rng.integers(1, 11, number) / 2)
    times = tf.train.Int64List(value=range(number))
    columns = {
        "user_id": feature(bytes_list=tf.train.BytesList(value=[b"%d" % user])),
        "movie_id": feature(bytes_list=names),
        "rating": feature(float_list=given),
        "timestamp": feature(int64_list=times),
    }
    example = tf.train.Example(features=tf.train.Features(feature=columns))
    return bytes(example.SerializeToString())


def _lookup(facts: Any) -> Any:
    from components.model.parsing import Lookup, table

    users = len(facts.user_ids)
    return Lookup(table(facts.movie_ids, -1), table(facts.user_ids, users), {})


if __name__ == "__main__":
    main()
