"""One training as a whole: its settings, what it reads, and where it writes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from components.examples.paths import listed
from components.model.config import tuned
from components.tfx.functions import FnArgs
from components.trainer.settings import SplitOutcome, TrainerArguments, TrainerSettings
from components.trainer.window_files import WindowFiles
from components.trainer.workers import ALONE, Workers


@dataclass(frozen=True)
class Job:
    """One training: how it goes, what it reads, and where it writes.

    settings: of the model and its training, tuned ones included.
    outcome: what the split came to.
    train, valid, catalogue: TFRecord files.
    transform_graph: the Transform node's output.
    checkpoints: the folder that this very training goes on from, if it is interrupted.
    log_dir: for TensorBoard and the history.
    refit: TFRecord files of windows of train and valid together, see `WindowFiles.both`.
    refits: whether it learns from these now.
    base_model: the SavedModel to start from; None: there is none.
    chosen: the settings that a Tuner chose, by section.
    workers: who trains together.
    """

    settings: TrainerSettings
    outcome: SplitOutcome
    train: list[str]
    valid: list[str]
    catalogue: list[str]
    transform_graph: str
    checkpoints: str = ""
    log_dir: str = ""
    base_model: str | None = None
    refit: list[str] = field(default_factory=list)
    refits: bool = False
    chosen: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    workers: Workers = ALONE

    @property
    def will_refit(self) -> bool:
        """Whether what valid chooses is trained again, on train and valid together.

        Not after a warm start: the next training could not start from a model that has learned what
        is its valid then.
        """
        training = self.settings.training
        asked = training.refit and not training.warm_start
        return asked and bool(self.refit) and self.outcome.valid_counts

    @property
    def windows(self) -> WindowFiles:
        """The windows that it learns from."""
        return WindowFiles(self.train, self.refit if self.refits else ())

    @property
    def ordered(self) -> bool:
        """Whether the order of a user's events carries meaning."""
        return self.outcome.history == "before"

    @property
    def window(self) -> int:
        """The greatest number of ratings in a train window."""
        return self.settings.split.window_limit(self.outcome.history)


def make_job(fn_args: FnArgs) -> Job:
    """The Trainer's job; the values that a Tuner chose replace those of the configuration."""
    arguments = cast(TrainerArguments, fn_args.custom_config)
    values = (fn_args.hyperparameters or {}).get("values", {})
    settings = arguments.settings.with_values(values)
    inputs = (fn_args.train_files, fn_args.transform_output, fn_args.base_model)
    return Job(
        settings=settings,
        outcome=arguments.outcome,
        train=listed(fn_args.train_files),
        valid=listed(fn_args.eval_files),
        catalogue=arguments.catalogue,
        transform_graph=fn_args.transform_output,
        checkpoints=work_folder(settings.checkpoints, settings, arguments.outcome, *inputs),
        log_dir=fn_args.model_run_dir,
        base_model=fn_args.base_model,
        refit=arguments.refit,
        chosen=tuned(values),
    )


def work_folder(
    parent: str, settings: TrainerSettings, outcome: SplitOutcome, *inputs: str | list[str] | None
) -> str:
    """A folder below `parent` that the same settings and inputs find again."""
    key = [*inputs, {**settings.cache_key(), "history": outcome.history}]
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return f"{parent}/{digest[:16]}"
