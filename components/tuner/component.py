"""The Tuner node: TFX's own, with the catalogue as a further input and more told of the trials."""

import json
from typing import Any

from tfx import types
from tfx import v1 as tfx
from tfx.components.tuner import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import io_utils, json_utils

from components.trainer.component import inputs_of
from components.tuner.config import TuningConfig
from components.tuner.search import results
from components.tuner.space import own_values
from schemas.artifacts import CATALOGUE, TRIALS_FILE

TUNER_FN = "components.tuner.run.tuner_fn"


class MovieTunerExecutor(executor.Executor):
    """Tells the tuner function what only the inputs know, and writes down every trial."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches; writes the best settings as TFX has them, and all trials."""
        key = standard_component_specs.CUSTOM_CONFIG_KEY
        settings = {**json_utils.loads(exec_properties[key]), **inputs_of(input_dict)}
        told = {**exec_properties, key: json_utils.dumps(settings)}
        found = executor.search(input_dict, told, "", print_tuning_summary=False)
        executor.write_best_hyperparameters(found, output_dict)
        folder = artifact_utils.get_single_uri(output_dict["tuner_results"])
        tuning = TuningConfig.model_validate(settings["tuning"])
        told = {**results(found), "own": own_values(tuning.space, settings)}
        io_utils.write_string_file(f"{folder}/{TRIALS_FILE}", json.dumps(told, allow_nan=False))


class MovieTunerSpec(types.ComponentSpec):
    """See `MovieTuner`."""

    PARAMETERS = standard_component_specs.TunerSpec.PARAMETERS
    INPUTS = {
        **standard_component_specs.TunerSpec.INPUTS,
        CATALOGUE: ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = standard_component_specs.TunerSpec.OUTPUTS


class MovieTuner(tfx.components.Tuner):
    """Searches for better settings: outputs `best_hyperparameters` and `tuner_results`.

    It trains on train and scores on valid, and is never told where eval is.
    """

    SPEC_CLASS = MovieTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(MovieTunerExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        catalogue: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: dict[str, Any],
    ) -> None:
        """Makes the node; `settings` are the Trainer's, and `tuning`."""
        spec = MovieTunerSpec(
            examples=examples,
            catalogue=catalogue,
            transform_graph=transform_graph,
            train_args=tfx.proto.TrainArgs(splits=["train"]),
            eval_args=tfx.proto.EvalArgs(splits=["valid"]),
            tuner_fn=TUNER_FN,
            custom_config=json_utils.dumps(settings),
            best_hyperparameters=types.Channel(type=standard_artifacts.HyperParameters),
            tuner_results=types.Channel(type=standard_artifacts.TunerResults),
        )
        super(tfx.components.Tuner, self).__init__(spec=spec)
