"""The nodes that bring the curated schemas in and hold the data against them."""

import json
from typing import Any

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import io_utils

from components.validation.anomalies import Finding, Statistics, find
from components.validation.curated import curated_schema
from schemas.artifacts import FINDINGS_FILE, SPLIT_PREFIX, STATISTICS_FILE
from schemas.errors import UserError
from schemas.source import Source

Artifacts = dict[str, list[types.Artifact]]


class CuratedSchemaExecutor(base_executor.BaseExecutor):
    """Writes both schemas down."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes `schema.pbtxt` into each output."""
        for name, artifacts in output_dict.items():
            uri = artifact_utils.get_single_uri(artifacts)
            io_utils.write_string_file(f"{uri}/schema.pbtxt", exec_properties[f"{name}_text"])


class CuratedSchemaSpec(types.ComponentSpec):
    """See `CuratedSchema`."""

    PARAMETERS = {
        "ratings_text": ExecutionParameter(type=str),
        "catalogue_text": ExecutionParameter(type=str),
    }
    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {
        "ratings": ChannelParameter(type=standard_artifacts.Schema),
        "catalogue": ChannelParameter(type=standard_artifacts.Schema),
    }


class CuratedSchema(base_component.BaseComponent):
    """Imports the schemas that the package holds: outputs `ratings` and `catalogue`.

    Their text goes in as a parameter, so that the node works wherever the pipeline runs, and runs
    again when they change.
    """

    SPEC_CLASS = CuratedSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(CuratedSchemaExecutor)

    def __init__(self, source: Source, drift_bound: float) -> None:
        """Makes the node; see `curated_schema` for its parameters."""
        spec = CuratedSchemaSpec(
            ratings_text=str(curated_schema("ratings", source, drift_bound)),
            catalogue_text=str(curated_schema("catalogue", source, drift_bound)),
            ratings=types.Channel(type=standard_artifacts.Schema),
            catalogue=types.Channel(type=standard_artifacts.Schema),
        )
        super().__init__(spec=spec)


class DataValidatorExecutor(base_executor.BaseExecutor):
    """Writes the anomalies, then stops the run if there are any, or accepts the statistics."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Validates every split of both statistics.

        Raises:
          UserError: the data breaks the schema, or drifts and `drift_stops` is set.
        """
        uri = artifact_utils.get_single_uri(output_dict["anomalies"])
        findings: list[Finding] = []
        for kind in ("ratings", "catalogue"):
            findings += _validate(kind, input_dict, uri)
        stops = bool(exec_properties["drift_stops"])
        drift = [finding.sentence for finding in findings if finding.drift]
        faults = [finding.sentence for finding in findings if stops or not finding.drift]
        io_utils.write_string_file(f"{uri}/{FINDINGS_FILE}", json.dumps({"drift": drift}))
        if faults:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise UserError(f"The data does not fit its schema: {faults[0]}{more}")
        _accept(input_dict["ratings_statistics"], output_dict["accepted"])


def _accept(statistics: list[types.Artifact], accepted: list[types.Artifact]) -> None:
    """Keeps the ratings' statistics as those that the next run is held against."""
    (checked,), (kept,) = statistics, accepted
    io_utils.copy_dir(checked.uri, kept.uri)
    kept.split_names = checked.split_names


def _validate(kind: str, inputs: Artifacts, uri: str) -> list[Finding]:
    """Writes the anomalies of every split of `ratings` or `catalogue`; returns what they say."""
    statistics = artifact_utils.get_single_instance(inputs[f"{kind}_statistics"])
    before = inputs.get(f"previous_{kind}_statistics")
    schema = io_utils.SchemaReader().read(
        io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(inputs[f"{kind}_schema"]))
    )
    findings: list[Finding] = []
    for split in artifact_utils.decode_split_names(statistics.split_names):
        previous = load_statistics(before[0], split) if before else None
        anomalies, found = find(split, load_statistics(statistics, split), schema, previous)
        io_utils.write_pbtxt_file(f"{uri}/{SPLIT_PREFIX}{split}/anomalies.pbtxt", anomalies)
        findings += found
    return findings


def load_statistics(artifact: types.Artifact, split: str) -> Statistics | None:
    """Reads a split's statistics; None where the artifact lacks the split."""
    if split not in artifact_utils.decode_split_names(artifact.split_names):
        return None
    path = f"{artifact_utils.get_split_uri([artifact], split)}/{STATISTICS_FILE}"
    return tfdv.load_stats_binary(path)


class DataValidatorSpec(types.ComponentSpec):
    """See `DataValidator`."""

    PARAMETERS = {"drift_stops": ExecutionParameter(type=int)}
    INPUTS = {
        "ratings_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "catalogue_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "ratings_schema": ChannelParameter(type=standard_artifacts.Schema),
        "catalogue_schema": ChannelParameter(type=standard_artifacts.Schema),
        "previous_ratings_statistics": ChannelParameter(
            type=standard_artifacts.ExampleStatistics, optional=True
        ),
    }
    OUTPUTS = {
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "accepted": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }


class DataValidator(base_component.BaseComponent):
    """Holds statistics against the schemas, and against those that were accepted last.

    TFX's own validator only writes anomalies down; this one stops the run with a sentence.

    Outputs:
        anomalies: what was found.
        accepted: the ratings' statistics, if the run goes on. Those of data that was refused, or
            was only explored, are never what a later run is held against.
    """

    SPEC_CLASS = DataValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(DataValidatorExecutor)

    def __init__(
        self,
        ratings_statistics: types.BaseChannel,
        catalogue_statistics: types.BaseChannel,
        ratings_schema: types.BaseChannel,
        catalogue_schema: types.BaseChannel,
        previous_ratings_statistics: types.BaseChannel | None,
        drift_stops: bool,
    ) -> None:
        """Makes the node; `drift_stops` says whether drift stops the run or is only reported."""
        spec = DataValidatorSpec(
            ratings_statistics=ratings_statistics,
            catalogue_statistics=catalogue_statistics,
            ratings_schema=ratings_schema,
            catalogue_schema=catalogue_schema,
            previous_ratings_statistics=previous_ratings_statistics,
            drift_stops=int(drift_stops),
            anomalies=types.Channel(type=standard_artifacts.ExampleAnomalies),
            accepted=types.Channel(type=standard_artifacts.ExampleStatistics),
        )
        super().__init__(spec=spec)
