"""What the Trainer node runs: read, learn, export, and write down how it went."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

import tensorflow as tf
import tf_keras as keras
from tfx.components.trainer.fn_args_utils import FnArgs

from components.diagnostics.importance import importance
from components.exported.module import ExportedRecommender, save
from components.model.parsing import Lookup
from components.model.protocol import Model
from components.trainer import gather, windows
from components.trainer.blend import add_linear_path
from components.trainer.data import (
    TrainingData,
    read,
    round_windows,
    some_windows,
    unlearnable,
)
from components.trainer.fit import Fit, never_enough
from components.trainer.histories import read_users
from components.trainer.history import History
from components.trainer.job import Job, make_job
from components.trainer.judge import Judge
from components.trainer.models import build_model, extra_findings
from components.trainer.popularity import newest
from components.trainer.rounds import Rounds, most_epochs, plan_rounds
from components.trainer.settings import TrainerArguments
from components.trainer.warm import warm_start
from schemas.artifacts import HISTORY_FILE, IMPORTANCE_FILE
from schemas.errors import UserError

logger = logging.getLogger("greenlight.trainer")

SAMPLED = 16  # steps of train that a model's extra findings are measured on


class Trained(NamedTuple):
    """A trained model, its linear path included, and what the judge says of it on valid.

    start: what the training started from, in words; empty where no warm start was asked for.
    """

    model: Model
    history: History
    figures: dict[str, float]
    start: str


def run_fn(fn_args: FnArgs) -> None:
    """The Trainer's entry point; `custom_config` holds its `TrainerArguments`."""
    job = make_job(fn_args)
    train(job, cast(TrainerArguments, fn_args.custom_config).held_out, fn_args.serving_model_dir)
    if tf.io.gfile.exists(job.checkpoints):
        tf.io.gfile.rmtree(job.checkpoints)


def train(job: Job, held_out: list[str], serving_dir: str) -> History:
    """Fits the joint model, exports it and returns what happened, epoch by epoch.

    Args:
      job: what to do.
      held_out: TFRecord files of eval and of what is not judged by, whose ratings are stored for
        serving and never trained on.
      serving_dir: where the SavedModel is written.
    """
    data = read(job)
    trained = learn(job, data)
    model = trained.model
    users = read_users([*job.train, *job.valid, *held_out], data.lookup, model.facts.user_ids)
    declared = job.settings.features.users
    save(ExportedRecommender(model, data.lookup, job.window, users, declared), serving_dir)
    _write_down(job, data, trained)
    return trained.history


def learn(job: Job, data: TrainingData, enough: Callable[[int], bool] = never_enough) -> Trained:
    """Fits a model and gives it its linear path; `enough` as `Fit.run` has it."""
    training = job.settings.training
    keras.utils.set_random_seed(training.seed)
    judge = Judge(job.valid, data.lookup, training.valid_rows, job.window)
    model = build(job, data, judge)
    warm, start = warm_start(model, job.base_model) if training.warm_start else (False, "")
    history = fit(job, model, data, judge, enough, warm)
    add_linear_path(model, job.train, judge.examples, data.lookup, job.window)
    # A judge of its own: the other one's graph was traced before there was a linear path.
    figures = Judge(job.valid, data.lookup, training.valid_rows, job.window)(model)
    return Trained(model, history, figures, start)


def build(job: Job, data: TrainingData, judge: Judge) -> Model:
    """Builds the untrained model.

    Raises:
      UserError: there is nothing that it could learn.
    """
    config = job.settings.model
    for why in unlearnable(job, data.statistics).values():
        logger.info("%s; the model retrieves alone", why)
        if not config.retrieval_weight:
            raise UserError(f"With model.retrieval_weight=0 nothing is left to learn, for {why}.")
    facts = gather.make_facts(
        data.catalogue, data.vocabulary, data.statistics, job.settings.scale, config.oov_buckets,
        job.outcome.trained_until, job.settings.features.users, job.settings.features.numbers,
    )  # fmt: skip
    counts, recent = data.statistics.counts, data.statistics.recent
    if days := newest(counts, recent, judge.examples, data.lookup):
        facts = replace(facts, popular_days=days, popular=recent[days])
    model = build_model(config, facts, job.ordered)
    model.compute_loss(next(iter(some_windows(job, data.lookup))))  # creates the weights
    return model


def fit(
    job: Job,
    model: Model,
    data: TrainingData,
    judge: Judge,
    enough: Callable[[int], bool] = never_enough,
    warm: bool = False,
) -> History:
    """Trains the model, or goes on where a killed run was, and leaves it with its best weights."""
    training = job.settings.training
    rounds = _rounds(job, data, warm)
    averaged = model.averaged() if training.average_weights else []
    loop = Fit(model, training, rounds, job.checkpoints, model.tasks(), averaged)
    history = loop.run(
        lambda number: round_windows(job, data.lookup, rounds, number), judge, job.log_dir, enough
    )
    for number, row in enumerate(history.epochs, 1):
        logger.info("%s %d: %s", rounds.name, number, json.dumps(row))
    return history


def _rounds(job: Job, data: TrainingData, warm: bool) -> Rounds:
    training, train = job.settings.training, data.statistics
    steps = windows.steps_per_epoch(train.lengths, training.positions, job.window)
    epochs = most_epochs(training, job.ordered, warm, train.events)
    return plan_rounds(training, len(job.train), train.events, steps, epochs)


def _write_down(job: Job, data: TrainingData, trained: Trained) -> None:
    """Writes history.json, importance.json, and what else there is to say of the model."""
    sample = some_windows(job, data.lookup).take(SAMPLED)
    files = {
        HISTORY_FILE: history_content(job, data, trained),
        **extra_findings(trained.model, sample),
    }
    if measured := what_matters(job, data.lookup, trained.model):
        files[IMPORTANCE_FILE] = measured
    for name, content in files.items():
        with tf.io.gfile.GFile(f"{job.log_dir}/{name}", "w") as file:
            file.write(json.dumps(content))


def history_content(job: Job, data: TrainingData, trained: Trained) -> dict[str, Any]:
    """The content of history.json: how the training went, and what came of it."""
    chosen = {"tuned": job.chosen} if job.chosen else {}
    return {
        "best_epoch": trained.history.best_epoch + 1,
        "epochs": trained.history.epochs,
        "rounds_per_epoch": _rounds(job, data, warm=False).parts,
        "exported": trained.figures,
        "start": trained.start,
        "popular_days": trained.model.facts.popular_days,
        "off": unlearnable(job, data.statistics),
        **chosen,
    }


def what_matters(job: Job, lookup: Lookup, model: Model) -> dict[str, Any] | None:
    """What the model's inputs are worth on valid, where that is asked for and can be measured."""
    training = job.settings.training
    rows, seed = training.importance_rows, training.seed
    measured = importance(model, job.valid, lookup, rows, job.window, seed)
    if measured:
        logger.info("what matters to the model took %.1f s to measure", measured["seconds"])
    return measured
