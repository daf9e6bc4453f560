"""What the Trainer node runs: read, fit, export."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf
import tf_keras as keras
from tfx import v1 as tfx

from components.diagnostics.crosses import SAMPLED, strengths
from components.diagnostics.importance import importance
from components.example_gen.config import SplitConfig
from components.example_gen.read.files import listed
from components.exported.export import ExportedRecommender, save
from components.model.config import ModelConfig, TrainingConfig, tuned
from components.model.features import Lookup
from components.model.recommender import Recommender
from components.model.two_towers import TwoTowers
from components.trainer import gather, windows
from components.trainer.blend import add_linear_path
from components.trainer.fit import Fit, History, never
from components.trainer.histories import read_users
from components.trainer.judge import Judge
from components.trainer.warm import warm_start
from schemas.artifacts import CROSSES_FILE, HISTORY_FILE, IMPORTANCE_FILE
from schemas.errors import UserError

logger = logging.getLogger("greenlight.trainer")

EPOCHS = {True: 8, False: 12}  # ordered, set
LARGE = 500_000  # ratings of train, from which on three quarters of the epochs have steps enough
WARM_EPOCHS = 4  # from a model that has learned already


@dataclass(frozen=True)
class Job:
    """One training: where from, where to, and how.

    train, valid, eval, catalogue: TFRecord files; eval is stored for serving, never trained on.
    transform_graph: the Transform node's output.
    checkpoints: a folder that outlives the run, or none.
    ordered, window: from the split: whether order carries meaning, and the longest train window.
    base_model: the SavedModel to start from, or none.
    trained_until: what train ends before, in microseconds since 1970; none: it is not cut by time.
    """

    train: list[str]
    valid: list[str]
    eval: list[str]
    catalogue: list[str]
    transform_graph: str
    serving_dir: str
    log_dir: str
    checkpoints: str
    model: ModelConfig
    training: TrainingConfig
    scale: tuple[float, float] | None
    ordered: bool
    window: int
    base_model: str | None = None
    trained_until: int | None = None


class Data(NamedTuple):
    """What is read once, whatever the model's settings are."""

    catalogue: gather.Catalogue
    vocabulary: Mapping[str, list[bytes]]
    lookup: Lookup
    statistics: gather.TrainStatistics


class Learned(NamedTuple):
    """A trained model, its linear path included, and what the judge says of it on valid.

    start: what the training started from, in words; empty where no warm start was asked for.
    """

    model: Recommender | TwoTowers
    history: History
    figures: dict[str, float]
    start: str


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """The Trainer's entry point; its settings come as `custom_config`, tuned ones on top."""
    config = fn_args.custom_config
    chosen = tuned((fn_args.hyperparameters or {}).get("values", {}))
    config |= {name: {**config[name], **values} for name, values in chosen.items()}
    job = make_job(
        config,
        train=listed(fn_args.train_files),
        valid=listed(fn_args.eval_files),
        eval=listed(config["eval"]),
        transform_graph=fn_args.transform_output,
        serving_dir=fn_args.serving_model_dir,
        log_dir=fn_args.model_run_dir,
        checkpoints=checkpoint_dir(config, fn_args),
        base_model=fn_args.base_model,
    )
    train(job, chosen)
    if tf.io.gfile.exists(job.checkpoints):
        tf.io.gfile.rmtree(job.checkpoints)


def make_job(config: Mapping[str, Any], **places: Any) -> Job:
    """The job that a node's settings describe; `places` are the job's files and folders."""
    split = SplitConfig.model_validate(config["split"])
    return Job(
        catalogue=listed(config["catalogue"]),
        model=ModelConfig.model_validate(config["model"]),
        training=TrainingConfig.model_validate(config["training"]),
        scale=config["scale"] and tuple(config["scale"]),
        ordered=config["history"] == "before",
        window=split.window_limit(config["history"]),
        trained_until=config["trained_until"],
        **places,
    )


def checkpoint_dir(config: Mapping[str, Any], fn_args: tfx.components.FnArgs) -> str:
    """A folder for this very training: the same inputs and settings find it again."""
    told = {key: config[key] for key in ("model", "training", "scale", "history", "split")}
    return folder_of(
        config["checkpoints"],
        fn_args.train_files,
        fn_args.transform_output,
        fn_args.base_model,
        told,
    )


def folder_of(parent: str, *facts: Any) -> str:
    """A folder below `parent` that the same facts find again; they must have a form in JSON."""
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return f"{parent}/{key}"


def train(job: Job, chosen: Mapping[str, Mapping[str, Any]]) -> History:
    """Fits the joint model, exports it and returns what happened, epoch by epoch.

    Args:
      job: what to do.
      chosen: the settings in it that a Tuner chose, by section, to be told beside the history.
    """
    data = read(job)
    model, history, exported, start = learn(job, data)
    files = [*job.train, *job.valid, *job.eval]
    users = read_users(files, data.lookup, model.facts.user_ids)
    save(ExportedRecommender(model, data.lookup, job.window, users), job.serving_dir)
    told = {
        "best_epoch": history.best_epoch + 1,
        "epochs": history.epochs,
        "exported": exported,
        "start": start,
        "off": off(job, data.statistics),
    }
    if chosen:
        told["tuned"] = chosen
    _write_down(job, model, data, told)
    return history


def _write_down(
    job: Job, model: Recommender | TwoTowers, data: Data, history: Mapping[str, Any]
) -> None:
    """Writes history.json, crosses.json where anything was crossed, and importance.json."""
    files = {HISTORY_FILE: history}
    crossed = job.model.cross_layers or job.model.rating_cross_layers
    if crossed and isinstance(model, Recommender):
        windows = epoch_windows(job, data.lookup, 0)
        files[CROSSES_FILE] = strengths(model, windows.take(SAMPLED))
    if found := what_matters(job, data.lookup, model):
        files[IMPORTANCE_FILE] = found
    for name, content in files.items():
        with tf.io.gfile.GFile(f"{job.log_dir}/{name}", "w") as file:
            file.write(json.dumps(content))


def what_matters(job: Job, lookup: Lookup, model: Recommender | TwoTowers) -> dict[str, Any] | None:
    """What the model's inputs are worth on valid, where that is asked for and can be measured."""
    training = job.training
    rows, seed = training.importance_rows, training.seed
    found = importance(model, job.valid, lookup, rows, job.window, seed)
    if found:
        logger.info("what matters to the model took %.1f s to measure", found["seconds"])
    return found


def read(job: Job) -> Data:
    """Reads vocabularies and catalogue, and makes one pass over train."""
    catalogue = gather.read_catalogue(job.catalogue)
    vocabulary = gather.vocabularies(job.transform_graph, job.model.ignored)
    lookup = gather.make_lookup(catalogue, vocabulary)
    statistics = gather.count_train(job.train, lookup, len(catalogue.ids))
    return Data(catalogue, vocabulary, lookup, statistics)


def learn(job: Job, data: Data, enough: Callable[[int], bool] = never) -> Learned:
    """Fits a model and gives it its linear path; `enough` as `Fit.run` has it."""
    keras.utils.set_random_seed(job.training.seed)
    model = build(job, data)
    warm, start = warm_start(model, job.base_model) if job.training.warm_start else (False, "")
    judge = Judge(job.valid, data.lookup, job.training.valid_rows, job.window)
    history = fit(job, model, data, judge, enough, warm)
    add_linear_path(model, job.train, judge.examples, data.lookup, job.window)
    # A judge of its own: the other one's graph was traced before there was a linear path.
    figures = Judge(job.valid, data.lookup, job.training.valid_rows, job.window)(model)
    return Learned(model, history, figures, start)


def off(job: Job, train: gather.TrainStatistics) -> dict[str, str]:
    """The tasks that train has nothing to teach of, each with the reason in words."""
    why = train.unrated(job.scale)
    return {"rating": why} if why else {}


def build(job: Job, data: Data) -> Recommender | TwoTowers:
    """Builds the untrained model.

    Raises:
      UserError: there is nothing that it could learn.
    """
    catalogue, vocabulary, lookup, statistics = data
    for why in off(job, statistics).values():
        logger.info("%s; the model retrieves alone", why)
        if not job.model.retrieval_weight:
            raise UserError(f"With model.retrieval_weight=0 nothing is left to learn, for {why}.")
    facts = gather.make_facts(
        catalogue, vocabulary, statistics, job.scale, job.model.oov_buckets, job.trained_until
    )
    towers = Recommender if job.model.towers == "history" else TwoTowers
    model = towers(job.model, facts, job.ordered)
    model.compute_loss(next(iter(epoch_windows(job, lookup, 0))))  # creates the layers' weights
    return model


def most_epochs(
    training: TrainingConfig, ordered: bool, warm: bool = False, ratings: int = 0
) -> int:
    """How many epochs a training has at most, on so many ratings of train."""
    if training.epochs is not None:
        return training.epochs
    if warm:
        return WARM_EPOCHS
    return EPOCHS[ordered] * 3 // 4 if ratings >= LARGE else EPOCHS[ordered]


def fit(
    job: Job,
    model: Recommender | TwoTowers,
    data: Data,
    judge: Judge,
    enough: Callable[[int], bool] = never,
    warm: bool = False,
) -> History:
    """Trains the model, or goes on where a killed run was, and leaves it with its best weights."""
    steps = windows.steps_per_epoch(data.statistics.lengths, job.training.positions, job.window)
    ratings = int(data.statistics.counts.sum())
    epochs = most_epochs(job.training, job.ordered, warm, ratings)
    averaged = model.averaged() if job.training.average_weights else []
    loop = Fit(model, job.training, steps, epochs, job.checkpoints, model.parts(), averaged)
    history = loop.run(lambda e: epoch_windows(job, data.lookup, e), judge, job.log_dir, enough)
    for number, row in enumerate(history.epochs, 1):
        logger.info("epoch %d: %s", number, json.dumps(row))
    return history


def epoch_windows(job: Job, lookup: Lookup, epoch: int) -> tf.data.Dataset:
    """The train windows in the order of one epoch."""
    seed = job.training.seed + 1000 * epoch
    return windows.windows(job.train, lookup, job.training.positions, job.window, seed)
