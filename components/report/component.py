"""The node that writes down what a run concludes."""

import json
from typing import Any

from components.report import page
from components.report.gather import gather
from components.tfx.artifacts import Artifact, Artifacts, folder, write_text
from components.tfx.nodes import (
    BaseChannel,
    BaseComponent,
    BaseExecutor,
    Channel,
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
    ExecutorClassSpec,
    standard_artifacts,
)  # fmt: skip
from schemas.artifacts import CATALOGUE
from schemas.words import MOVIE, Item


class Report(Artifact):
    """What a run concluded: blessing.json, facts.json, report.md and index.html."""

    TYPE_NAME = "components.Report"


class BlessingReportExecutor(BaseExecutor):
    """Gathers the facts from the run's artifacts and writes them down."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes the report's files."""
        uri = folder(output_dict["report"])
        for name, text in page.render(*gather(input_dict, exec_properties)).items():
            write_text(f"{uri}/{name}", text)


class BlessingReportSpec(ComponentSpec):
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


class BlessingReport(BaseComponent):
    """Writes the verdict and all that led to it: output `report`.

    The run's id is a parameter, so that every run writes its own, whatever else is cached.
    """

    SPEC_CLASS = BlessingReportSpec
    EXECUTOR_SPEC = ExecutorClassSpec(BlessingReportExecutor)

    def __init__(
        self,
        examples: BaseChannel,
        catalogue: BaseChannel,
        anomalies: BaseChannel,
        model: BaseChannel,
        model_run: BaseChannel,
        evaluation: BaseChannel,
        blessing: BaseChannel,
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
            report=Channel(type=Report),
        )
        super().__init__(spec=spec)
