"""What the Tuner node runs: the Trainer's own training, as often as the search asks for it."""

import dataclasses
import functools
import gc
import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import tf_keras as keras
from keras_tuner.engine import oracle as kt_oracle

from components.examples.paths import listed
from components.examples.records import records
from components.tfx.functions import FnArgs, TunerFnResult
from components.trainer.data import TrainingData, read
from components.trainer.job import Job, work_folder
from components.trainer.learn import learn
from components.trainer.rounds import most_epochs
from components.tuner.config import TuningConfig
from components.tuner.oracles import make_oracle
from components.tuner.parallel import SideBySide
from components.tuner.plan import Figures, Plan, Run
from components.tuner.search import OneByOne, Search
from components.tuner.settings import TunerArguments
from components.tuner.space import hyperparameters
from components.tuner.workers import Worker
from schemas.errors import UserError

# Unless the user says how many trials run at once; see docs/tuning.md.
CORES_PER_TRIAL, MOST_AT_ONCE = 2, 4


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """The Tuner's entry point; `custom_config` holds its `TunerArguments`.

    Raises:
      UserError: there are no valid rows to score by.
    """
    arguments = cast(TunerArguments, fn_args.custom_config)
    settings = arguments.settings
    job = make_job(fn_args)
    if not list(records(job.valid, 1).take(1)):
        raise UserError("Tuning needs rows to score by: set split.valid above 0.")
    oracle = make_oracle(
        settings.tuning,
        hyperparameters(settings.tuning.space, settings),
        math.ceil(most_epochs(settings.training, job.ordered)),
    )
    inputs = (fn_args.train_files, fn_args.transform_graph_path)
    folder = work_folder(f"{settings.checkpoints}/tuning", settings, job.outcome, *inputs)
    return TunerFnResult(tuner=make_search(oracle, job, settings.tuning, folder), fit_kwargs={})


def make_job(fn_args: FnArgs) -> Job:
    """What all trials train; each brings settings and folders of its own."""
    arguments = cast(TunerArguments, fn_args.custom_config)
    return Job(
        settings=arguments.settings,
        outcome=arguments.outcome,
        train=listed(fn_args.train_files),
        valid=listed(fn_args.eval_files),
        catalogue=arguments.catalogue,
        transform_graph=fn_args.transform_graph_path,
    )


def make_search(oracle: kt_oracle.Oracle, job: Job, tuning: TuningConfig, directory: str) -> Search:
    """The search; a single trial at a time has this process, and all cores, for itself."""
    cores = len(os.sched_getaffinity(0))
    usual = max(1, min(cores // CORES_PER_TRIAL, MOST_AT_ONCE))
    at_once = min(tuning.parallel or usual, tuning.trials)
    run = functools.partial(make_run, job, tuning.mix)
    if at_once == 1:
        return OneByOne(oracle, run(), tuning, directory)
    workers = [Worker(run, max(1, cores // at_once)) for _ in range(at_once)]
    return SideBySide(oracle, workers, tuning, directory)


def make_run(job: Job, mix: float) -> Run:
    """Reads the data and says how a trial is run."""
    return functools.partial(run_trial, job, read(job), mix)


def run_trial(job: Job, data: TrainingData, mix: float, plan: Plan) -> Figures:
    """Trains and measures with a trial's settings, as the Trainer would."""
    settings = job.settings.with_values(plan.values)
    job = dataclasses.replace(job, settings=settings, checkpoints=plan.folder, log_dir=plan.folder)
    with _progress_of(plan):
        _, history, figures, _ = learn(job, data, plan.enough)
    keras.backend.clear_session()
    gc.collect()  # a model and its graphs hold each other
    rated = {"rmse": figures["valid_rmse"]} if "valid_rmse" in figures else {}
    return {
        "score": score(figures, mix),
        "ndcg": 1.0 - figures["valid_retrieval"],
        "hit_rate@10": figures["valid_hit_rate@10"],
        **rated,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch + 1,
    }


def score(figures: Mapping[str, float], mix: float) -> float:
    """What the search maximises: (1 - mix) NDCG - mix RMSE / s, with s the deviation of train.

    NDCG is without a cut, in the whole catalogue with seen movies left out. Both parts are shares
    of the best and of the plainest that there can be, so that neither depends on the rating scale.
    Where no ratings are predicted, NDCG is all there is.
    """
    ndcg = 1.0 - figures["valid_retrieval"]
    if "valid_rating" not in figures:
        return ndcg
    return (1.0 - mix) * ndcg - mix * math.sqrt(figures["valid_rating"])


@contextmanager
def _progress_of(plan: Plan) -> Iterator[None]:
    """Lets the training's progress say which trial it is of, and how far the search is."""
    progress = logging.getLogger("greenlight.progress")

    def name_trial(record: logging.LogRecord) -> bool:
        record.msg, record.args = f"{plan.label}: {record.getMessage()}", ()
        record.done = plan.share
        return True

    progress.addFilter(name_trial)
    try:
        yield
    finally:
        progress.removeFilter(name_trial)
