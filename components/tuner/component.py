"""The Tuner node: TFX's own, with the catalogue as a further input and all trials written down."""

import json
from typing import Any

from tfx.components.trainer import fn_args_utils
from tfx.components.tuner import executor
from tfx.components.tuner.component import Tuner
from tfx.components.util import udf_utils
from tfx.proto import trainer_pb2
from tfx.types import standard_component_specs

from components.tfx.artifacts import Artifacts, folder, split_files, write_text
from components.tfx.nodes import (
    BaseChannel,
    Channel,
    ChannelParameter,
    ComponentSpec,
    ExecutorClassSpec,
    standard_artifacts,
)  # fmt: skip
from components.trainer.component import split_outcome
from components.tuner.search import Search, results
from components.tuner.settings import TunerArguments, TunerSettings
from components.tuner.space import own_values
from schemas.artifacts import CATALOGUE, TRIALS_FILE

TUNER_FN = "components.tuner.run.tuner_fn"


class MovieTunerExecutor(executor.Executor):
    """Hands the tuner function `TunerArguments`, searches, and writes down every trial."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Searches; writes the best settings as TFX has them, and all trials."""
        settings = TunerSettings.from_json(
            exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]
        )
        search = make_search(settings, input_dict, exec_properties)
        search.search()
        executor.write_best_hyperparameters(search, output_dict)
        uri = folder(output_dict["tuner_results"])
        content = {**results(search), "own": own_values(settings.tuning.space, settings)}
        write_text(f"{uri}/{TRIALS_FILE}", json.dumps(content, allow_nan=False))


def make_search(
    settings: TunerSettings, inputs: Artifacts, exec_properties: dict[str, Any]
) -> Search:
    """The search that the tuner function makes of the settings and the node's inputs."""
    fn_args = fn_args_utils.get_common_fn_args(inputs, exec_properties)
    fn_args.custom_config = TunerArguments(  # type: ignore[assignment]  # see `TunerArguments`
        settings,
        split_outcome(folder(inputs["examples"])),
        catalogue=split_files(inputs[CATALOGUE], CATALOGUE),
    )
    return udf_utils.get_fn(exec_properties, "tuner_fn")(fn_args).tuner


class MovieTunerSpec(ComponentSpec):
    """See `MovieTuner`."""

    PARAMETERS = standard_component_specs.TunerSpec.PARAMETERS
    INPUTS = {
        **standard_component_specs.TunerSpec.INPUTS,
        CATALOGUE: ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = standard_component_specs.TunerSpec.OUTPUTS


class MovieTuner(Tuner):
    """Searches for better settings: outputs `best_hyperparameters` and `tuner_results`.

    It trains on train and scores on valid, and is never told where eval is.
    """

    SPEC_CLASS = MovieTunerSpec  # type: ignore[assignment]  # TFX asks no more of it
    EXECUTOR_SPEC = ExecutorClassSpec(MovieTunerExecutor)

    def __init__(
        self,
        examples: BaseChannel,
        catalogue: BaseChannel,
        transform_graph: BaseChannel,
        settings: TunerSettings,
    ) -> None:
        """Makes the node, which reads the three channels."""
        spec = MovieTunerSpec(
            examples=examples,
            catalogue=catalogue,
            transform_graph=transform_graph,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["valid"]),
            tuner_fn=TUNER_FN,
            custom_config=settings.to_json(),
            best_hyperparameters=Channel(type=standard_artifacts.HyperParameters),
            tuner_results=Channel(type=standard_artifacts.TunerResults),
        )
        super(Tuner, self).__init__(spec=spec)
