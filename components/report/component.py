"""The node that writes down what a run concludes."""

import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import io_utils

from components.report import page
from components.report.exported import Inputs
from components.report.gather import gather
from schemas.artifacts import CATALOGUE
from schemas.words import MOVIE, Item


class Report(types.Artifact):
    """What a run concluded: blessing.json, facts.json, report.md and index.html."""

    TYPE_NAME = "components.Report"


class BlessingReportExecutor(base_executor.BaseExecutor):
    """Gathers the facts from the run's artifacts and writes them down."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Inputs, output_dict: Inputs, exec_properties: dict[str, Any]
    ) -> None:
        """Writes the report's files."""
        folder = artifact_utils.get_single_uri(output_dict["report"])
        for name, text in page.render(*gather(input_dict, exec_properties)).items():
            io_utils.write_string_file(f"{folder}/{name}", text)


class BlessingReportSpec(types.ComponentSpec):
    """See `BlessingReport`."""

    PARAMETERS = {
        "run_id": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
        "scale": ExecutionParameter(type=str),
        "item": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        CATALOGUE: ChannelParameter(type=standard_artifacts.Examples),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"report": ChannelParameter(type=Report)}


class BlessingReport(base_component.BaseComponent):
    """Writes the verdict and all that led to it: output `report`.

    The run's id is a parameter, so that every run writes its own, whatever else is cached.
    """

    SPEC_CLASS = BlessingReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(BlessingReportExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        catalogue: types.BaseChannel,
        anomalies: types.BaseChannel,
        model: types.BaseChannel,
        model_run: types.BaseChannel,
        evaluation: types.BaseChannel,
        blessing: types.BaseChannel,
        run_id: Any,
        config: str,
        scale: tuple[float, float] | None,
        item: Item = MOVIE,
    ) -> None:
        """Makes the node.

        `config` is the run's configuration as JSON, `scale` that of the ratings, `item` what the
        source calls the movies.
        """
        spec = BlessingReportSpec(
            examples=examples,
            catalogue=catalogue,
            anomalies=anomalies,
            model=model,
            model_run=model_run,
            evaluation=evaluation,
            blessing=blessing,
            run_id=run_id,
            config=config,
            scale=json.dumps(scale),
            item=json.dumps(item),
            report=types.Channel(type=Report),
        )
        super().__init__(spec=spec)
