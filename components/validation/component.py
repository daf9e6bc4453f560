"""The nodes that bring the curated schemas in and hold the data against them."""

import json
from typing import Any

from components.tfx.artifacts import (
    Artifact,
    Artifacts,
    copy_folder,
    folder,
    only,
    read_schema,
    split_folder,
    split_names,
    write_proto,
    write_text,
)  # fmt: skip
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
from components.validation.anomalies import Finding, Statistics, find, read_statistics_file
from components.validation.curated import curated_schema
from schemas.artifacts import FINDINGS_FILE, SPLIT_PREFIX, STATISTICS_FILE
from schemas.errors import UserError
from schemas.source import Source


class CuratedSchemaExecutor(BaseExecutor):
    """Writes both schemas down."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes `schema.pbtxt` into each output."""
        for name, artifacts in output_dict.items():
            uri = folder(artifacts)
            write_text(f"{uri}/schema.pbtxt", exec_properties[f"{name}_text"])


class CuratedSchemaSpec(ComponentSpec):
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


class CuratedSchema(BaseComponent):
    """Imports the schemas that the package holds: outputs `ratings` and `catalogue`.

    Their text goes in as a parameter, so that the node works wherever the pipeline runs, and runs
    again when they change.
    """

    SPEC_CLASS = CuratedSchemaSpec
    EXECUTOR_SPEC = ExecutorClassSpec(CuratedSchemaExecutor)

    def __init__(self, source: Source, drift_bound: float) -> None:
        """Makes the node; see `curated_schema` for its parameters."""
        spec = CuratedSchemaSpec(
            ratings_text=str(curated_schema("ratings", source, drift_bound)),
            catalogue_text=str(curated_schema("catalogue", source, drift_bound)),
            ratings=Channel(type=standard_artifacts.Schema),
            catalogue=Channel(type=standard_artifacts.Schema),
        )
        super().__init__(spec=spec)


class DataValidatorExecutor(BaseExecutor):
    """Writes the anomalies, then stops the run if there are any, or accepts the statistics."""

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Validates every split of both statistics.

        Raises:
          UserError: the data breaks the schema, or drifts and `drift_stops` is set.
        """
        uri = folder(output_dict["anomalies"])
        findings: list[Finding] = []
        for kind in ("ratings", "catalogue"):
            findings += _validate(kind, input_dict, uri)
        stops = bool(exec_properties["drift_stops"])
        drift = [finding.sentence for finding in findings if finding.drift]
        faults = [finding.sentence for finding in findings if stops or not finding.drift]
        write_text(f"{uri}/{FINDINGS_FILE}", json.dumps({"drift": drift}))
        if faults:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise UserError(f"The data does not fit its schema: {faults[0]}{more}")
        _accept(input_dict["ratings_statistics"], output_dict["accepted"])


def _accept(statistics: list[Artifact], accepted: list[Artifact]) -> None:
    """Keeps the ratings' statistics as those that the next run is held against."""
    (checked,), (kept,) = statistics, accepted
    copy_folder(checked.uri, kept.uri)
    kept.split_names = checked.split_names


def _validate(kind: str, inputs: Artifacts, uri: str) -> list[Finding]:
    """Writes the anomalies of every split of `ratings` or `catalogue`; returns what they say."""
    statistics = only(inputs[f"{kind}_statistics"])
    before = inputs.get(f"previous_{kind}_statistics")
    schema = read_schema(inputs[f"{kind}_schema"])
    findings: list[Finding] = []
    for split in split_names(statistics):
        previous = load_statistics(before[0], split) if before else None
        anomalies, found = find(split, load_statistics(statistics, split), schema, previous)
        write_proto(f"{uri}/{SPLIT_PREFIX}{split}/anomalies.pbtxt", anomalies)
        findings += found
    return findings


def load_statistics(artifact: Artifact, split: str) -> Statistics | None:
    """Reads a split's statistics; None where the artifact lacks the split."""
    if split not in split_names(artifact):
        return None
    path = f"{split_folder([artifact], split)}/{STATISTICS_FILE}"
    return read_statistics_file(path)


class DataValidatorSpec(ComponentSpec):
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


class DataValidator(BaseComponent):
    """Holds statistics against the schemas, and against those that were accepted last.

    TFX's own validator only writes anomalies down; this one stops the run with a sentence.

    Outputs:
        anomalies: what was found.
        accepted: the ratings' statistics, if the run goes on. Those of data that was refused, or
            was only explored, are never what a later run is held against.
    """

    SPEC_CLASS = DataValidatorSpec
    EXECUTOR_SPEC = ExecutorClassSpec(DataValidatorExecutor)

    def __init__(
        self,
        ratings_statistics: BaseChannel,
        catalogue_statistics: BaseChannel,
        ratings_schema: BaseChannel,
        catalogue_schema: BaseChannel,
        previous_ratings_statistics: BaseChannel | None,
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
            anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
            accepted=Channel(type=standard_artifacts.ExampleStatistics),
        )
        super().__init__(spec=spec)
