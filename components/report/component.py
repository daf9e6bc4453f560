"""The node that writes down what a run concludes."""

import json
from typing import Any

from tfx import types
from tfx.components.evaluator.constants import ARTIFACT_PROPERTY_BLESSED_KEY
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import io_utils

from components.example_gen.generate import ROWS_FILE
from components.report.blessing import blessing
from components.report.evaluation import read_evaluation
from components.validation.component import FINDINGS_FILE

BLESSING_FILE = "blessing.json"
HISTORY_FILE = "history.json"


class Report(types.Artifact):
    """What a run concluded: blessing.json."""

    TYPE_NAME = "greenlight.Report"


class BlessingReportExecutor(base_executor.BaseExecutor):
    """Gathers the facts from the run's artifacts."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `blessing.json`."""
        uri = {key: artifact_utils.get_single_uri(value) for key, value in input_dict.items()}
        verdict = artifact_utils.get_single_instance(input_dict["blessing"])
        content = blessing(
            run_id=exec_properties["run_id"],
            blessed=verdict.get_int_custom_property(ARTIFACT_PROPERTY_BLESSED_KEY) == 1,
            config=json.loads(exec_properties["config"]),
            rows=_read(f"{uri['examples']}/{ROWS_FILE}"),
            drift=_read(f"{uri['anomalies']}/{FINDINGS_FILE}")["drift"],
            training=_read(f"{uri['model_run']}/{HISTORY_FILE}"),
            evaluation=read_evaluation(uri["evaluation"]),
        )
        path = f"{artifact_utils.get_single_uri(output_dict['report'])}/{BLESSING_FILE}"
        io_utils.write_string_file(path, json.dumps(content, indent=1))


def _read(path: str) -> dict[str, Any]:
    with fileio.open(path) as file:
        content: dict[str, Any] = json.load(file)
    return content


class BlessingReportSpec(types.ComponentSpec):
    """See `BlessingReport`."""

    PARAMETERS = {"run_id": ExecutionParameter(type=str), "config": ExecutionParameter(type=str)}
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
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
        anomalies: types.BaseChannel,
        model_run: types.BaseChannel,
        evaluation: types.BaseChannel,
        blessing: types.BaseChannel,
        run_id: Any,
        config: str,
    ) -> None:
        """Makes the node; `config` is the run's configuration as JSON."""
        spec = BlessingReportSpec(
            examples=examples,
            anomalies=anomalies,
            model_run=model_run,
            evaluation=evaluation,
            blessing=blessing,
            run_id=run_id,
            config=config,
            report=types.Channel(type=Report),
        )
        super().__init__(spec=spec)
