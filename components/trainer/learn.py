"""Fits a model: what the Trainer and each trial of the Tuner do."""

import json
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from components.model import randomness
from components.model.protocol import Model
from components.trainer import gather, windows
from components.trainer.blend import add_linear_path
from components.trainer.data import TrainingData, round_windows, some_windows, unlearnable
from components.trainer.fit import Fit, Measure, never_enough
from components.trainer.history import History
from components.trainer.job import Job
from components.trainer.judge import Judge
from components.trainer.models import build_model
from components.trainer.popularity import newest
from components.trainer.rounds import Rounds, most_epochs, plan_rounds
from components.trainer.warm import warm_start
from schemas.errors import UserError

logger = logging.getLogger("greenlight.trainer")
REFIT = 0.5  # of the epochs that a training has before


class Trained(NamedTuple):
    """A trained model, its linear path included, and what the judge says of it on valid.

    start: what the training started from, in words; empty where no warm start was asked for.
    """

    model: Model
    history: History
    figures: dict[str, float]
    start: str


def learn(job: Job, data: TrainingData, enough: Callable[[int], bool] = never_enough) -> Trained:
    """Fits a model and gives it its linear path; `enough` as `Fit.run` has it."""
    training = job.settings.training
    randomness.seed(training.seed)
    judge = Judge(job.valid, data.lookup, training.valid_rows, job.window)
    counts, recent = data.statistics.counts, data.statistics.recent
    model = build(job, data, newest(counts, recent, judge.examples, data.lookup))
    warm, start = warm_start(model, job.base_model) if training.warm_start else (False, "")
    history = fit(job, model, data, judge, enough, warm)
    add_linear_path(model, job.windows.serialized(), judge.examples, data.lookup, job.window)
    # A judge of its own: the other one's graph was traced before there was a linear path.
    figures = Judge(job.valid, data.lookup, training.valid_rows, job.window)(model)
    return Trained(model, history, figures, start)


def build(job: Job, data: TrainingData, popular_days: int | None) -> Model:
    """Builds the untrained model; see `Facts` for `popular_days`.

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
        job.outcome.trained_until, job.settings.features, data.spreads,
    )  # fmt: skip
    if popular_days:
        popular = data.statistics.recent[popular_days]
        facts = replace(facts, popular_days=popular_days, popular=popular)
    model = build_model(config, facts, job.ordered)
    model.compute_loss(next(iter(some_windows(job, data.lookup))))  # creates the weights
    return model


def fit(
    job: Job,
    model: Model,
    data: TrainingData,
    judge: Measure,
    enough: Callable[[int], bool] = never_enough,
    warm: bool = False,
) -> History:
    """Trains the model, or goes on where a killed run was, and leaves it with its best weights."""
    training = job.settings.training
    rounds = rounds_of(job, data, warm)
    averaged = model.averaged() if training.average_weights else []
    loop = Fit(model, training, rounds, job.checkpoints, model.tasks(), averaged, job.workers)
    history = loop.run(
        lambda number: round_windows(job, data.lookup, rounds, number), judge, job.log_dir, enough
    )
    for number, row in enumerate(history.epochs, 1):
        logger.info("%s %d: %s", rounds.name, number, json.dumps(row))
    return history


def rounds_of(job: Job, data: TrainingData, warm: bool = False) -> Rounds:
    """The rounds of a training on what the job learns from."""
    training, train = job.settings.training, data.statistics
    steps = windows.steps_per_epoch(train.lengths, training.positions, job.window)
    epochs = most_epochs(training, job.ordered, warm, train.events)
    if job.refits:
        epochs = epochs * REFIT if epochs % 1 else math.ceil(epochs * REFIT)
    rounds = plan_rounds(training, len(job.train), train.events, steps, epochs)
    chosen = 1 / (1 + REFIT) if job.will_refit else 1.0
    begin, end = (chosen, 1.0) if job.refits else (0.0, chosen)
    seconds = None if training.minutes is None else 60 * training.minutes * (end - begin)
    return rounds._replace(begin=begin, end=end, seconds=seconds)
