"""What the Tuner node runs: the Trainer's own training, as often as the search asks for it."""

import dataclasses
import functools
import gc
import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tf_keras as keras
from keras_tuner.engine import oracle as kt_oracle
from tfx import v1 as tfx
from tfx.components.tuner.component import TunerFnResult

from components.examples.paths import listed
from components.examples.records import records
from components.model.config import SECTIONS, tuned
from components.trainer.run import Data, Job, folder_of, learn, make_job, most_epochs, read
from components.tuner.config import TuningConfig
from components.tuner.oracles import make_oracle
from components.tuner.parallel import SideBySide
from components.tuner.plan import Figures, Plan, Run
from components.tuner.search import OneByOne, Search
from components.tuner.space import hyperparameters
from components.tuner.workers import Worker
from schemas.errors import UserError

# A search goes on from where it was with other values of these.
BUDGET = ("trials", "minutes", "parallel")
CORES, MOST = 2, 4  # unless told: cores for each trial, and trials at once; see docs/tuning.md


def tuner_fn(fn_args: tfx.components.FnArgs) -> TunerFnResult:
    """The Tuner's entry point; its settings come as `custom_config`.

    Raises:
      UserError: there are no valid rows to score by.
    """
    config = fn_args.custom_config
    tuning = TuningConfig.model_validate(config["tuning"])
    job = make_job(
        config,
        train=listed(fn_args.train_files),
        valid=listed(fn_args.eval_files),
        eval=[],
        transform_graph=fn_args.transform_graph_path,
        serving_dir="",
        log_dir="",
        checkpoints="",
    )
    if not list(records(job.valid, 1).take(1)):
        raise UserError("Tuning needs rows to score by: set split.valid above 0.")
    space = hyperparameters(tuning.space, config)
    oracle = make_oracle(tuning, space, most_epochs(job.training, job.ordered))
    return TunerFnResult(tuner=make_search(oracle, job, tuning, folder(fn_args)), fit_kwargs={})


def make_search(oracle: kt_oracle.Oracle, job: Job, tuning: TuningConfig, directory: str) -> Search:
    """The search; a single trial at a time has this process, and all cores, for itself."""
    cores = len(os.sched_getaffinity(0))
    at_once = min(tuning.parallel or max(1, min(cores // CORES, MOST)), tuning.trials)
    run = functools.partial(make_run, job, tuning.mix)
    if at_once == 1:
        return OneByOne(oracle, run(), tuning, directory)
    workers = [Worker(run, max(1, cores // at_once)) for _ in range(at_once)]
    return SideBySide(oracle, workers, tuning, directory)


def make_run(job: Job, mix: float) -> Run:
    """Reads the data and says how a trial is run."""
    return functools.partial(run_trial, job, read(job), mix)


def folder(fn_args: tfx.components.FnArgs) -> str:
    """A folder for this very search: the same inputs, space and algorithm find it again."""
    config = fn_args.custom_config
    told = {key: config[key] for key in ("model", "training", "scale", "history", "split")}
    told["tuning"] = {k: v for k, v in config["tuning"].items() if k not in BUDGET}
    parent = f"{config['checkpoints']}/tuning"
    return folder_of(parent, fn_args.train_files, fn_args.transform_graph_path, told)


def run_trial(job: Job, data: Data, mix: float, plan: Plan) -> Figures:
    """Trains and measures with a trial's settings, as the Trainer would."""
    chosen: dict[str, Any] = {
        name: SECTIONS[name].model_validate({**getattr(job, name).model_dump(), **values})
        for name, values in tuned(plan.values).items()
    }
    job = dataclasses.replace(job, checkpoints=plan.folder, log_dir=plan.folder, **chosen)
    with _telling(plan):
        _, history, found, _ = learn(job, data, plan.enough)
    keras.backend.clear_session()
    gc.collect()  # a model and its graphs hold each other
    rated = {"rmse": found["valid_rmse"]} if "valid_rmse" in found else {}
    return {
        "score": score(found, mix),
        "ndcg": 1.0 - found["valid_retrieval"],
        "hit_rate@10": found["valid_hit_rate@10"],
        **rated,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch + 1,
    }


def score(found: Mapping[str, float], mix: float) -> float:
    """What the search maximises: (1 - mix) NDCG - mix RMSE / s, with s the deviation of train.

    NDCG is without a cut, in the whole catalogue with seen movies left out. Both parts are shares
    of the best and of the plainest that there can be, so that neither depends on the rating scale.
    Where no ratings are predicted, NDCG is all there is.
    """
    ndcg = 1.0 - found["valid_retrieval"]
    if "valid_rating" not in found:
        return ndcg
    return (1.0 - mix) * ndcg - mix * math.sqrt(found["valid_rating"])


@contextmanager
def _telling(plan: Plan) -> Iterator[None]:
    """Lets the training's progress say which trial it is of, and how far the search is."""
    progress = logging.getLogger("greenlight.progress")

    def told(record: logging.LogRecord) -> bool:
        record.msg, record.args = f"{plan.told}: {record.getMessage()}", ()
        record.done = plan.share
        return True

    progress.addFilter(told)
    try:
        yield
    finally:
        progress.removeFilter(told)
