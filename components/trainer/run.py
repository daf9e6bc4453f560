"""What the Trainer node runs: read, learn, export, and write down how it went."""

import json
import logging
import sys
from dataclasses import replace
from typing import Any, cast

import tensorflow as tf

from components.diagnostics.importance import importance
from components.diagnostics.orders import orders
from components.exported.module import ExportedRecommender, save
from components.model.parsing import Lookup
from components.model.protocol import Model
from components.tfx.functions import FnArgs
from components.trainer.data import TrainingData, read, some_windows, unlearnable
from components.trainer.histories import read_users
from components.trainer.history import History
from components.trainer.job import Job, make_job
from components.trainer.judge import Judge
from components.trainer.learn import Trained, learn, rounds_of
from components.trainer.models import extra_findings
from components.trainer.refit import refit
from components.trainer.settings import TrainerArguments
from components.trainer.workers import join
from schemas.artifacts import HISTORY_FILE, IMPORTANCE_FILE, ORDERS_FILE

logger = logging.getLogger("greenlight.trainer")

SAMPLED = 16  # steps of train that a model's extra findings are measured on


def run_fn(fn_args: FnArgs) -> None:
    """The Trainer's entry point; `custom_config` holds its `TrainerArguments`."""
    workers = join()
    job = replace(make_job(fn_args), workers=workers)
    train(job, cast(TrainerArguments, fn_args.custom_config).held_out, fn_args.serving_model_dir)
    if workers.is_chief and tf.io.gfile.exists(job.checkpoints):
        tf.io.gfile.rmtree(job.checkpoints)
    workers.wait_for_chief()
    if not workers.is_chief:
        sys.exit()  # the chief alone has a model, and tells the service so


def train(job: Job, held_out: list[str], serving_dir: str) -> History:
    """Fits the joint model, exports it and returns what happened, epoch by epoch.

    Where several workers train, the chief alone exports and writes down.

    Args:
      job: what to do.
      held_out: TFRecord files of eval and of what is not judged by, whose ratings are stored for
        serving and never trained on.
      serving_dir: where the SavedModel is written.
    """
    data = read(job)
    trained = learn(job, data)
    model = refit(job, data, trained) if job.will_refit else trained.model
    if not job.workers.is_chief:
        return trained.history
    traded = order_for_people(job, data.lookup, trained.model)
    users = read_users([*job.train, *job.valid, *held_out], data.lookup, model.facts.user_ids)
    names, item, labels = job.settings.features, job.settings.item, job.settings.labels
    told, mix = (*names.users, *names.asked), traded["mix"] if traded else 0.0
    module = ExportedRecommender(model, data.lookup, job.window, users, told, item, labels, mix)
    save(module, serving_dir)
    _write_down(job, data, trained, model, {ORDERS_FILE: traded} if traded else {})
    return trained.history


def _write_down(
    job: Job, data: TrainingData, trained: Trained, exported: Model, files: dict[str, Any]
) -> None:
    """Writes history.json, importance.json, and what else there is to say of the model.

    What the inputs are worth is measured of the model that has not learned from valid.
    """
    sample = some_windows(job, data.lookup).take(SAMPLED)
    files = {
        **files,
        HISTORY_FILE: history_content(job, data, trained, exported),
        **extra_findings(exported, sample),
    }
    if measured := what_matters(job, data.lookup, trained.model):
        files[IMPORTANCE_FILE] = measured
    for name, content in files.items():
        with tf.io.gfile.GFile(f"{job.log_dir}/{name}", "w") as file:
            file.write(json.dumps(content))


def history_content(
    job: Job, data: TrainingData, trained: Trained, exported: Model
) -> dict[str, Any]:
    """The content of history.json: how the training went, and what came of it.

    `valid` is what the trained model reached on valid, and `exported` the same of the model that is
    exported, which after a refit has learned from valid and says nothing of how good it is.
    """
    tuned = {"tuned": job.chosen} if job.chosen else {}
    refits = exported is not trained.model
    rows, reach = job.settings.training.valid_rows, job.window
    parts = rounds_of(job, data).parts
    measure = Judge(job.valid, data.lookup, rows, reach) if refits else lambda _: trained.figures
    return {
        "best_epoch": trained.history.best_epoch + 1,
        "epochs": trained.history.epochs,
        "rounds_per_epoch": parts,
        "read": trained.history.read / parts,
        "improving": trained.history.improving,
        "valid": trained.figures,
        "exported": measure(exported),
        "refit": refits,
        "start": trained.start,
        "popular_days": trained.model.facts.popular_days,
        "off": unlearnable(job, data.statistics),
        **tuned,
    }


def what_matters(job: Job, lookup: Lookup, model: Model) -> dict[str, Any] | None:
    """What the model's inputs are worth on valid, where that is asked for and can be measured."""
    training = job.settings.training
    rows, seed = training.importance_rows, training.seed
    measured = importance(model, job.valid, lookup, rows, job.window, seed)
    if measured:
        logger.info("what matters to the model took %.1f s to measure", measured["seconds"])
    return measured


def order_for_people(job: Job, lookup: Lookup, model: Model) -> dict[str, Any] | None:
    """What orders of lists trade on valid, where that is asked for and can be measured."""
    training = job.settings.training
    rows, loss, seed = training.order_rows, training.order_loss, training.seed
    return orders(model, job.valid, lookup, rows, job.window, loss, seed)
