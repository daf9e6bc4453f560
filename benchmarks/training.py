"""Trainings on the Examples of a run that is there: the data's nodes need not run again."""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tf_keras as keras

from benchmarks.accuracy import Run, answers, chosen
from components.trainer.component import split_outcome
from components.trainer.job import Job
from components.trainer.run import train
from pipeline.config import load_config
from pipeline.pipeline import trainer_settings
from schemas.artifacts import CATALOGUE, REFIT, SPLIT_PREFIX
from schemas.source import load_source


def learned(
    options: argparse.Namespace,
    run: Run,
    seed: int,
    settings: Sequence[str],
    ask: Callable[[Run], Any] = answers,
) -> tuple[Any, float]:
    """Trains as the Trainer would with these settings, on a run's train split.

    Args:
      options: the benchmark's command line.
      run: whose Examples are read; its split must be what the settings say.
      seed: of the training.
      settings: `key=value`, on top of the protocol's.
      ask: what is asked of the export; default: what it says of every eval row.

    Returns:
      The answer, and the seconds that the training took.
    """
    given = {"source": options.source, "data_dir": options.data_dir}
    # Nobody would read what is measured beside the training.
    settings = [*settings, "training.importance_rows=0", "training.order_rows=0"]
    config = load_config(None, chosen(options, seed, settings), **given)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(
            settings=trainer_settings(config, load_source(options.source), checkpoints=""),
            outcome=split_outcome(run.examples),
            train=_files(run.examples, "train"),
            valid=_files(run.examples, "valid"),
            catalogue=_files(run.catalogue, CATALOGUE),
            transform_graph=run.transform_graph,
            checkpoints=f"{folder}/checkpoints",
            log_dir=folder,
            refit=_files(run.examples, REFIT),
        )
        started = time.monotonic()
        train(job, _files(run.examples, "eval"), f"{folder}/Format-Serving")
        seconds = time.monotonic() - started
        found = ask(run._replace(model=folder))
    keras.backend.clear_session()
    gc.collect()  # a model and its graphs hold each other
    return found, seconds


def _files(artifact: str, split: str) -> list[str]:
    return sorted(tf.io.gfile.glob(f"{artifact}/{SPLIT_PREFIX}{split}/*"))
