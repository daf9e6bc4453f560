"""Runs to attack: the command line's own, each in processes of its own, on ratings made up here."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

USERS, MOVIES, LIKED, ODD = 240, 140, 16, 4  # ratings of each user: of liked movies, and others
SETTINGS = (
    "model.dims=16", "model.hidden=16", "model.rating_heads=2", "training.epochs=4",
    "training.positions=512", "training.importance_rows=0", "gates.replicates=100",
)  # fmt: skip
BLESSED, REFUSED = 0, 2  # exit statuses
NOISE = 1e-6  # of a metric, relative


def make_data(folder: Path) -> None:
    """Writes ratings.csv and movies.csv of two tastes, so that a small model passes the gates."""
    rng, columns = np.random.default_rng(7), []
    for user in range(USERS):
        order = rng.permutation(np.arange(MOVIES) // 2 * 2)  # even ones; taste adds one
        liked = np.unique(order)[np.argsort(rng.exponential(np.arange(5, 5 + MOVIES // 2)))][:LIKED]
        other = rng.choice(np.unique(order), ODD, replace=False)
        movie = np.concatenate([liked + user % 2, other + (user + 1) % 2])
        stars = np.concatenate([rng.integers(4, 6, LIKED), rng.integers(1, 3, ODD)])
        time = 1_000_000 + rng.integers(0, 900_000, LIKED + ODD)
        columns.append(np.stack([np.full(LIKED + ODD, user), movie, stars, time], 1))
    rows = rng.permutation(np.concatenate(columns))
    names = ["userId", "movieId", "rating", "timestamp"]
    pyarrow.csv.write_csv(pa.table(list(rows.T), names), folder / "ratings.csv")
    titles = [f"Film {movie} (19{10 + movie % 80})" for movie in range(MOVIES)]
    movies = {"movieId": range(MOVIES), "title": titles, "genres": ["Drama"] * MOVIES}
    pyarrow.csv.write_csv(pa.table(movies), folder / "movies.csv")


class Runs:
    """Runs on the same data; each output folder is one that they resume in."""

    def __init__(self, folder: Path) -> None:
        """Writes the data into a folder, which also gets all that runs say."""
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir(parents=True)
        make_data(self.data)

    def command(self, output: Path) -> list[str]:
        """That of a run."""
        settings = [part for setting in SETTINGS for part in ("--set", setting)]
        return [
            sys.executable, "-m", "pipeline.cli", "run", "--source", "movielens-latest",
            "--data-dir", str(self.data), "--output-dir", str(output), *settings,
        ]  # fmt: skip

    def run(self, output: Path, before: Callable[[], None] | None = None) -> tuple[int, str]:
        """Runs to the end; returns the exit status and what was said. `before` is for the child."""
        done = subprocess.run(
            self.command(output), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=before,
        )  # fmt: skip
        return done.returncode, done.stdout

    @contextmanager
    def started(self, output: Path) -> Iterator[tuple["subprocess.Popen[str]", IO[str]]]:
        """A run that is under way, and its lines; whatever is left of it ends with the block."""
        process = subprocess.Popen(
            self.command(output), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            kill(process)

    def concluded(self, output: Path) -> dict[str, Any]:
        """What the last run found: of its training, which is deterministic, and of the gates."""
        path = output / "reports" / "latest" / "blessing.json"
        told = json.loads(path.read_text(encoding="utf-8"))
        epochs = [{**epoch, "seconds": None} for epoch in told["training"]["epochs"]]
        return {
            "training": {**told["training"], "epochs": epochs},
            "gates": {"metrics": told["metrics"], "intervals": told["intervals"]},
        }

    def same(self, output: Path, other: Path) -> bool:
        """Whether two runs concluded the same: their trainings to the last bit.

        Beam deals out rows in batches as it sees fit, and a matrix product depends on its batch in
        the last bits of a float32: so metrics are the same within `NOISE`.
        """
        one, two = self.concluded(output), self.concluded(other)
        return bool(one["training"] == two["training"]) and _near(one["gates"], two["gates"])


def _near(one: Any, two: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(_near(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(_near, one, two))
    return bool(one == two or (None not in (one, two) and math.isclose(one, two, rel_tol=NOISE)))


def kill(process: "subprocess.Popen[str]") -> None:
    """Kills a run with all its processes, as a lost machine does, and waits for its end."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
