"""One process of a training by several, or by itself.

Its arguments are a folder with `examples` and `catalogue`, one for checkpoints, a file for what it
ends with, and optionally the round before which it is killed.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.examples.catalogue import read_catalogue
from components.model.config import ModelConfig, TrainingConfig
from components.trainer import data as data_module
from components.trainer import gather, learn
from components.trainer.component import split_outcome
from components.trainer.data import TrainingData, round_windows
from components.trainer.job import Job
from components.trainer.optimizer import Gradients
from components.trainer.settings import TrainerSettings
from components.trainer.workers import Workers, join

MODEL = ModelConfig(dims=4, hidden=4, rating_heads=1, rating_dims=2, max_softmax=32)
TRAINING = TrainingConfig(epochs=2, positions=256)


def main(folder: str, checkpoints: str, ending: str, killed: str = "") -> None:
    """Trains, and leaves figures and weights."""
    workers = join()
    if killed:
        learn.round_windows = killed_before(int(killed))  # type: ignore[attr-defined]
    job = replace(a_job(folder, checkpoints), workers=workers)
    data = read(folder, job)
    trained = learn.learn(job, data)
    path = Path(ending)
    path.with_suffix(".json").write_text(json.dumps(trained.history.epochs))
    path.with_suffix(".shared").write_text(json.dumps(exchanged(workers)))
    np.savez(path, *(variable.numpy() for variable in trained.model.variables))
    workers.wait_for_chief()


def exchanged(workers: Workers) -> list[list[Any]]:
    """What becomes of small gradients: the n-th process has n in each place, and n rows."""
    own = workers.index + 1
    slopes = tf.IndexedSlices(tf.fill([own, 2], float(own)), tf.range(own))

    @tf.function(autograph=False)
    def together() -> tuple[tf.Tensor, ...]:
        joined = workers.together(Gradients([tf.fill([3], float(own))], [slopes]))
        return joined.dense[0], joined.rows[0].indices, joined.rows[0].values

    return [part.numpy().tolist() for part in together()]


def killed_before(round_: int) -> Callable[..., tf.data.Dataset]:
    """Gives the windows of the rounds before one, at which it kills the process."""

    def given(job: Job, lookup: Any, rounds: Any, number: int) -> tf.data.Dataset:
        if number == round_:
            os.kill(os.getpid(), signal.SIGKILL)
        return round_windows(job, lookup, rounds, number)

    return given


def a_job(folder: str, checkpoints: str) -> Job:
    """A small training."""

    def files(split: str) -> list[str]:
        return sorted(tf.io.gfile.glob(f"{folder}/examples/Split-{split}/*"))

    settings = TrainerSettings(model=MODEL, training=TRAINING, scale=(1.0, 5.0), checkpoints="")
    return Job(
        settings, split_outcome(f"{folder}/examples"), files("train"), files("valid"), [],
        transform_graph="", checkpoints=checkpoints, log_dir=f"{checkpoints}-log",
    )  # fmt: skip


def read(folder: str, job: Job) -> TrainingData:
    """What the training reads once; every movie and user is in the vocabulary."""
    catalogue = read_catalogue(tf.io.gfile.glob(f"{folder}/catalogue/*/*"))
    users = json.loads(Path(folder, "users.json").read_text(encoding="utf-8"))
    vocabulary: Mapping[str, Any] = {
        "user_id": [user.encode() for user in users], "movie_id": catalogue.ids.to_pylist(),
    }  # fmt: skip
    lookup = gather.make_lookup(catalogue, vocabulary)
    statistics = data_module.count(job, lookup, len(catalogue))
    return TrainingData(catalogue, vocabulary, lookup, statistics)


if __name__ == "__main__":
    main(*sys.argv[1:])
