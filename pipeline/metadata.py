"""What ML Metadata knows of a run: which nodes ran, how they ended and what they made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.tfx.artifacts import Artifacts, of_store

_States = metadata_store_pb2.Execution
STATES = {
    _States.COMPLETE: "done",
    _States.CACHED: "cached",
    _States.FAILED: "failed",
    _States.RUNNING: "stopped",
}


@dataclass(frozen=True)
class NodeRun:
    """How one node went: state as in `STATES`, seconds of wall clock, and its execution's id."""

    node: str
    state: str
    seconds: float
    execution: int


class StoredArtifact(NamedTuple):
    """An artifact: its id, its folder, and when its node was finished, in milliseconds."""

    id: int
    uri: str
    finished: int


class Metadata:
    """Reads a local ML Metadata store."""

    def __init__(self, path: str) -> None:
        """Opens the sqlite file, making it if there is none."""
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = path
        self._store = mlmd.MetadataStore(config)

    def newest(self) -> int:
        """The id of the newest execution, 0 if there is none."""
        return max((execution.id for execution in self._store.get_executions()), default=0)

    def nodes_since(self, execution: int) -> list[NodeRun]:
        """The node runs after an execution, in their order."""
        later = [one for one in self._store.get_executions() if one.id > execution]
        return [self._node_run(one) for one in sorted(later, key=lambda one: one.id)]

    def output(self, run: NodeRun, key: str) -> str | None:
        """Where a node run wrote one of its outputs, or found it in the cache; None if nowhere."""
        events = self._store.get_events_by_execution_ids([run.execution])
        ids = [e.artifact_id for e in events if key in [s.key for s in e.path.steps]]
        return next((a.uri for a in self._store.get_artifacts_by_id(ids)), None)

    def report_inputs(self, run_id: str) -> tuple[Artifacts, dict[str, Any]]:
        """What the report of a run was made from: its artifacts by key, and its properties.

        Both are empty where the store knows no such run.
        """
        made = [
            execution
            for execution in self._store.get_executions()
            if execution.custom_properties["run_id"].string_value == run_id
        ]
        if not made:
            return {}, {}
        latest = max(made, key=lambda execution: execution.id)
        events = self._store.get_events_by_execution_ids([latest.id])
        keys = {event.artifact_id: event.path.steps[0].key for event in events if is_input(event)}
        inputs: Artifacts = {}
        for artifact in self._store.get_artifacts_by_id(list(keys)):
            (kind,) = self._store.get_artifact_types_by_id([artifact.type_id])
            read = of_store(kind, artifact)
            inputs.setdefault(keys[artifact.id], []).append(read)
        properties = latest.custom_properties
        return inputs, {name: properties[name].string_value for name in properties}

    def report_of(self, run_id: str) -> StoredArtifact | None:
        """The stored report of a run; None where the store knows none."""
        made = [
            execution.id
            for execution in self._store.get_executions()
            if execution.custom_properties["run_id"].string_value == run_id
        ]
        events = self._store.get_events_by_execution_ids(made[-1:]) if made else []
        ids = {event.artifact_id for event in events if not is_input(event)}
        return next((one for one in self.finished() if one.id in ids), None)

    @property
    def store(self) -> mlmd.MetadataStore:
        """The store itself."""
        return self._store

    def finished(self, kind: str = "") -> list[StoredArtifact]:
        """The artifacts that nodes may take from the cache or look up; of a type, if one is named.

        A type that nothing was made of yet has no artifacts.
        """
        known = self._store.get_artifacts_by_type(kind) if kind else self._store.get_artifacts()
        return [
            StoredArtifact(one.id, one.uri, one.last_update_time_since_epoch)
            for one in known
            if one.state == metadata_store_pb2.Artifact.LIVE
        ]

    def marked(self, kind: str, name: str) -> list[int]:
        """The artifacts of a type with a property of this name that is 1."""
        known = self._store.get_artifacts_by_type(kind)
        return [one.id for one in known if one.custom_properties[name].int_value == 1]

    def blessed(self) -> list[int]:
        """The blessings that say so, and the models that they are of."""
        blessings = self._store.get_artifacts_by_id(self.marked("ModelBlessing", "blessed"))
        models = [one.custom_properties["current_model_id"].int_value for one in blessings]
        return [*(one.id for one in blessings), *models]

    def artifacts_of_newest_runs(self, runs: int) -> list[int]:
        """What the nodes of the newest runs made or took from the cache."""
        made = self._store.get_contexts_by_type("pipeline_run")
        newest = sorted((context.id for context in made), reverse=True)[:runs]
        of_each = (self._store.get_artifacts_by_context(context) for context in newest)
        return [artifact.id for artifacts in of_each for artifact in artifacts]

    def newest_outputs(self, nodes: Sequence[str]) -> list[int]:
        """What the newest executions of some nodes made."""
        newest = {run.node: run for run in self.nodes_since(0) if run.node in nodes}
        ids = [run.execution for run in newest.values()]
        return [event.artifact_id for event in self._store.get_events_by_execution_ids(ids)]

    def newest_properties(self, node: str) -> dict[str, str]:
        """The texts among the properties of a node's newest execution; empty if there is none."""
        runs = [run for run in self.nodes_since(0) if run.node == node]
        if not runs:
            return {}
        (execution,) = self._store.get_executions_by_id([runs[-1].execution])
        properties = execution.custom_properties
        return {name: properties[name].string_value for name in properties}

    def give_up(self, artifacts: Sequence[int]) -> None:
        """Keeps artifacts, by their ids, from being taken from the cache or looked up again."""
        given_up = self._store.get_artifacts_by_id(artifacts)
        for artifact in given_up:
            artifact.state = metadata_store_pb2.Artifact.DELETED
        self._store.put_artifacts(given_up)

    def _node_run(self, execution: metadata_store_pb2.Execution) -> NodeRun:
        contexts = self._store.get_contexts_by_execution(execution.id)
        names = [c.name for c in contexts if c.type == "node"]
        took = execution.last_update_time_since_epoch - execution.create_time_since_epoch
        state = STATES.get(execution.last_known_state, "stopped")
        return NodeRun(names[0].split(".", 1)[1], state, took / 1000, execution.id)


def is_input(event: metadata_store_pb2.Event, key: str = "") -> bool:
    """Whether an execution read the event's artifact, as its input of this name if one is given."""
    read = event.type == metadata_store_pb2.Event.INPUT
    return read and key in ("", event.path.steps[0].key)
