"""The Trainer node: TFX's own, with the catalogue as a further input."""

import json
from typing import Any

from tfx import types
from tfx import v1 as tfx
from tfx.components.trainer import executor
from tfx.dsl.components.base import executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import io_utils, json_utils

from schemas.artifacts import CATALOGUE, ROWS_FILE

RUN_FN = "components.trainer.run.run_fn"


class MovieTrainerExecutor(executor.GenericExecutor):
    """Tells the run function what only the inputs know.

    `custom_config` gains the files of eval and what `inputs_of` tells.
    """

    def _GetFnArgs(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> tfx.components.FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        held_out = artifact_utils.get_split_uri(input_dict["examples"], "eval")
        fn_args.custom_config = {
            **fn_args.custom_config,
            **inputs_of(input_dict),
            "eval": io_utils.all_files_pattern(held_out),
        }
        return fn_args


def inputs_of(input_dict: dict[str, list[types.Artifact]]) -> dict[str, Any]:
    """What only the inputs know.

    The catalogue's files, what the histories hold (before or rest), and what train ends before, in
    microseconds since 1970, where it is cut by time.
    """
    catalogue = artifact_utils.get_split_uri(input_dict[CATALOGUE], CATALOGUE)
    examples = artifact_utils.get_single_uri(input_dict["examples"])
    return {CATALOGUE: io_utils.all_files_pattern(catalogue), **told_by(examples)}


def told_by(examples: str) -> dict[str, Any]:
    """What the Examples artifact in this folder says of itself: `history` and `trained_until`."""
    with fileio.open(f"{examples}/{ROWS_FILE}") as file:
        rows = json.load(file)
    return {"history": rows["history"], "trained_until": (rows["cutoffs"] or {}).get("valid")}


class MovieTrainerSpec(types.ComponentSpec):
    """See `MovieTrainer`."""

    PARAMETERS = standard_component_specs.TrainerSpec.PARAMETERS
    INPUTS = {
        **standard_component_specs.TrainerSpec.INPUTS,
        CATALOGUE: ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = standard_component_specs.TrainerSpec.OUTPUTS


class MovieTrainer(tfx.components.Trainer):
    """Fits the joint model on train, stops early by valid: outputs `model` and `model_run`."""

    SPEC_CLASS = MovieTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(MovieTrainerExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        catalogue: types.BaseChannel,
        transform_graph: types.BaseChannel,
        schema: types.BaseChannel,
        settings: dict[str, Any],
        hyperparameters: types.BaseChannel | None = None,
        base_model: types.BaseChannel | None = None,
    ) -> None:
        """Makes the node.

        Args:
          examples, catalogue, transform_graph, schema: what is read.
          settings: those that the run function reads.
          hyperparameters: tuned settings, which go before those; none: there was no search.
          base_model: what the training starts from; none, or an empty channel: from nothing.
        """
        spec = MovieTrainerSpec(
            examples=examples,
            catalogue=catalogue,
            transform_graph=transform_graph,
            schema=schema,
            base_model=base_model,
            hyperparameters=hyperparameters,
            train_args=tfx.proto.TrainArgs(splits=["train"]),
            eval_args=tfx.proto.EvalArgs(splits=["valid"]),
            run_fn=RUN_FN,
            custom_config=json_utils.dumps(settings),
            model=types.Channel(type=standard_artifacts.Model),
            model_run=types.Channel(type=standard_artifacts.ModelRun),
        )
        super(tfx.components.Trainer, self).__init__(spec=spec)
