"""The Trainer node: TFX's own, with the catalogue as a further input and typed settings."""

from typing import Any

from tfx.components.trainer import executor
from tfx.components.trainer.component import Trainer
from tfx.proto import trainer_pb2
from tfx.types import standard_component_specs

from components.examples import paths
from components.examples.rows import read_rows
from components.tfx.artifacts import Artifacts, folder, split_files
from components.tfx.functions import FnArgs
from components.tfx.nodes import (
    BaseChannel,
    Channel,
    ChannelParameter,
    ComponentSpec,
    ExecutorClassSpec,
    standard_artifacts,
)  # fmt: skip
from components.trainer.settings import SplitOutcome, TrainerArguments, TrainerSettings
from schemas.artifacts import CATALOGUE, REFIT, UNJUDGED

RUN_FN = "components.trainer.run.run_fn"


class MovieTrainerExecutor(executor.GenericExecutor):
    """Hands the run function `TrainerArguments` in place of TFX's untyped `custom_config`."""

    def _GetFnArgs(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        settings = exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]
        examples = folder(input_dict["examples"])
        fn_args.custom_config = TrainerArguments(  # type: ignore[assignment]  # see `TrainerArguments`
            TrainerSettings.from_json(settings),
            split_outcome(examples),
            catalogue=split_files(input_dict[CATALOGUE], CATALOGUE),
            held_out=held_out_files(examples),
            refit=paths.split_files(examples, REFIT),
        )
        return fn_args


def held_out_files(examples: str) -> list[str]:
    """The files of the Examples artifact in this folder whose ratings are only stored."""
    return [file for split in ("eval", UNJUDGED) for file in paths.split_files(examples, split)]


def split_outcome(examples: str) -> SplitOutcome:
    """What the Examples artifact in this folder says of its split."""
    rows = read_rows(examples)
    cutoffs = rows["cutoffs"] or {}
    train, valid = (rows["splits"][split]["ratings"] for split in ("train", "valid"))
    return SplitOutcome(rows["history"], cutoffs.get("valid"), cutoffs.get("eval"), train, valid)


class MovieTrainerSpec(ComponentSpec):
    """See `MovieTrainer`."""

    PARAMETERS = standard_component_specs.TrainerSpec.PARAMETERS
    INPUTS = {
        **standard_component_specs.TrainerSpec.INPUTS,
        CATALOGUE: ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = standard_component_specs.TrainerSpec.OUTPUTS


class MovieTrainer(Trainer):
    """Fits the joint model on train, stops early by valid: outputs `model` and `model_run`."""

    SPEC_CLASS = MovieTrainerSpec  # type: ignore[assignment]  # TFX asks no more of it
    EXECUTOR_SPEC = ExecutorClassSpec(MovieTrainerExecutor)

    def __init__(
        self,
        examples: BaseChannel,
        catalogue: BaseChannel,
        transform_graph: BaseChannel,
        schema: BaseChannel,
        settings: TrainerSettings,
        hyperparameters: BaseChannel | None = None,
        base_model: BaseChannel | None = None,
    ) -> None:
        """Makes the node.

        Args:
          examples, catalogue, transform_graph, schema: what is read.
          settings: of the model and its training.
          hyperparameters: a Tuner's, which go before `settings`; None: there was no search.
          base_model: what the training starts from; None, or an empty channel: from nothing.
        """
        spec = MovieTrainerSpec(
            examples=examples,
            catalogue=catalogue,
            transform_graph=transform_graph,
            schema=schema,
            base_model=base_model,
            hyperparameters=hyperparameters,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["valid"]),
            run_fn=RUN_FN,
            custom_config=settings.to_json(),
            model=Channel(type=standard_artifacts.Model),
            model_run=Channel(type=standard_artifacts.ModelRun),
        )
        super(Trainer, self).__init__(spec=spec)
