"""The node that writes down what a run concludes."""

import datetime
import json
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components.evaluator.constants import ARTIFACT_PROPERTY_BLESSED_KEY
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import io_utils, path_utils

from components.evaluation.gates import RATING, GatesConfig
from components.examples.activity import count_train
from components.examples.paths import listed
from components.examples.rows import read_rows
from components.report import facts, page, people
from components.report.blessing import blessing
from components.report.evaluation import Evaluation, read_evaluation
from components.report.learned import learned
from schemas.artifacts import (
    CATALOGUE,
    CROSSES_FILE,
    FINDINGS_FILE,
    HISTORY_FILE,
    IMPORTANCE_FILE,
)

Inputs = dict[str, list[types.Artifact]]


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


def gather(inputs: Inputs, properties: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reads the artifacts of one run.

    Args:
      inputs: those of the node, by key.
      properties: `run_id` (empty: the time names the run), `config` (JSON) and `scale` (JSON).

    Returns:
      The contents of blessing.json, but for the seconds, and of facts.json.
    """
    uri = {key: artifact_utils.get_single_uri(value) for key, value in inputs.items()}
    verdict = artifact_utils.get_single_instance(inputs["blessing"])
    config, scale = json.loads(properties["config"]), json.loads(properties["scale"])
    rows = read_rows(uri["examples"])
    training = _read(f"{uri['model_run']}/{HISTORY_FILE}")
    off = training.get("off", {})
    evaluation = read_evaluation(uri["evaluation"])
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    content = blessing(
        run_id=run_name(properties["run_id"], now),
        blessed=verdict.get_int_custom_property(ARTIFACT_PROPERTY_BLESSED_KEY) == 1,
        config=config,
        rows=rows,
        drift=_read(f"{uri['anomalies']}/{FINDINGS_FILE}")["drift"],
        training=training,
        evaluation=evaluation,
    )
    gates = GatesConfig.model_validate(config["gates"])
    examples = artifact_utils.get_single_instance(inputs["examples"])
    return content, {
        "made": now.strftime("%Y-%m-%d %H:%M UTC"),
        "scale": None if RATING in off else scale,
        "slices": facts.slice_rows(gates, evaluation),
        "intervals": facts.intervals(evaluation),
        "bands": facts.rating_rows(evaluation.bands, scale and tuple(scale)),
        **_of_model(inputs, gates.k, answers(evaluation)),
        "importance": measured(uri["model_run"], IMPORTANCE_FILE),
        "crosses": measured(uri["model_run"], CROSSES_FILE),
        "data": facts.data_facts(count_train(_files(inputs["examples"], "train")), rows),
        "versions": facts.versions(),
        "lineage": facts.lineage(inputs),
        "compared": facts.compared_with(verdict),
        "fingerprint": facts.fingerprint(examples),
    }


def run_name(run_id: str, now: datetime.datetime) -> str:
    """The run's id, or its time where it is empty: a schedule starts all runs with the same one."""
    return run_id or now.strftime("%Y%m%d-%H%M%S")


def answers(evaluation: Evaluation) -> bool:
    """Whether the exported model answered the Evaluator at all."""
    checks = (gate for gate in evaluation.checks["gates"] if gate["metric"] == "answers")
    return all(gate["passed"] for gate in checks)


def _of_model(inputs: Inputs, k: int, answering: bool) -> dict[str, Any]:
    """A few users' lists and what the model learned of movies, from the exported model."""
    if not answering:
        return {"people": [], "learned": None}
    model = artifact_utils.get_single_instance(inputs["model"])
    path = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
    catalogue = people.titles_and_genres(_files(inputs[CATALOGUE], CATALOGUE))
    chosen = people.choose(_files(inputs["examples"], "eval"))
    loaded = tf.saved_model.load(path)
    shown = people.recommend(loaded, chosen, catalogue, k)
    return {"people": shown, "learned": learned(loaded)}


def measured(model_run: str, name: str) -> dict[str, Any]:
    """What the Trainer measured of the model, by the file's name; empty where it did not."""
    path = f"{model_run}/{name}"
    return _read(path) if fileio.exists(path) else {}


def _files(artifacts: list[types.Artifact], split: str) -> list[str]:
    pattern = io_utils.all_files_pattern(artifact_utils.get_split_uri(artifacts, split))
    return listed(pattern)


def _read(path: str) -> dict[str, Any]:
    with fileio.open(path) as file:
        content: dict[str, Any] = json.load(file)
    return content


class BlessingReportSpec(types.ComponentSpec):
    """See `BlessingReport`."""

    PARAMETERS = {
        "run_id": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
        "scale": ExecutionParameter(type=str),
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
    ) -> None:
        """Makes the node; `config` is the run's configuration as JSON, `scale` of the ratings."""
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
            report=types.Channel(type=Report),
        )
        super().__init__(spec=spec)
