"""A candidate is compared with what is in service: served, or pushed last; never only blessed."""

from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from components.pusher import push
from pipeline.baseline import PushedModelStrategy
from schemas.manifest import GRAPH_FILE
from tests.pipeline.events import put_event


class Runs:
    """A real store and folders, and what runs leave in them."""

    def __init__(self, folder: Path) -> None:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(folder / "metadata.sqlite")
        self.store, self.served, self._folder = mlmd.MetadataStore(config), folder / "v", folder
        self._model, self._pushed = (
            self.store.put_artifact_type(kind().artifact_type)
            for kind in (standard_artifacts.Model, standard_artifacts.PushedModel)
        )
        self._pusher = self.store.put_execution_type(
            metadata_store_pb2.ExecutionType(name="tfx.Pusher")
        )
        self.models: list[standard_artifacts.Model] = []

    def train(self, graph: bytes) -> int:
        """A model; returns its id."""
        artifact = standard_artifacts.Model()
        artifact.uri = str(self._folder / f"model-{len(self.models)}")
        (Path(artifact.uri) / "Format-Serving").mkdir(parents=True)
        (Path(artifact.uri) / "Format-Serving" / GRAPH_FILE).write_bytes(graph)
        artifact.mlmd_artifact.type_id = self._model
        (artifact.id,) = self.store.put_artifacts([artifact.mlmd_artifact])
        self.models.append(artifact)
        return artifact.id

    def note(self, model: int, pushed: bool) -> None:
        """What the Pusher's node writes down."""
        artifact = metadata_store_pb2.Artifact(type_id=self._pushed)
        artifact.custom_properties["pushed"].int_value = int(pushed)
        (made,) = self.store.put_artifacts([artifact])
        (node,) = self.store.put_executions([metadata_store_pb2.Execution(type_id=self._pusher)])
        put_event(self.store, node, model, "model", "INPUT")
        put_event(self.store, node, made, "pushed_model", "OUTPUT")

    def push(self, model: int) -> Path:
        """Serves a model; returns its version's folder."""
        place = next(one.uri for one in self.models if one.id == model)
        return self.served / push(f"{place}/Format-Serving", str(self.served))

    def baseline(self) -> list[int]:
        """What the next candidate is compared with."""
        strategy = PushedModelStrategy(str(self.served))
        found = strategy.resolve_artifacts(self.store, {"model": list(self.models)})
        return [model.id for model in found["model"]]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_nothing_is_in_service_before_the_first_push(runs: Runs) -> None:
    assert runs.baseline() == []
    runs.note(runs.train(b"refused"), pushed=False)
    assert runs.baseline() == []


def test_a_model_that_was_never_pushed_is_not_in_service(runs: Runs) -> None:
    served = runs.train(b"served")
    runs.note(served, pushed=True)
    runs.push(served)
    runs.train(b"the run was killed before its Pusher")
    assert runs.baseline() == [served]


def test_the_newest_whole_version_counts(runs: Runs) -> None:
    first, second = runs.train(b"graph 1"), runs.train(b"graph 2")
    runs.push(first)
    newest = runs.push(second)
    assert runs.baseline() == [second]
    (newest / GRAPH_FILE).write_bytes(b"graph X")
    assert runs.baseline() == [first]


def test_without_a_version_that_is_known_it_is_what_was_pushed_last(runs: Runs) -> None:
    first, second = runs.train(b"graph 1"), runs.train(b"graph 2")
    runs.note(second, pushed=True)
    runs.note(first, pushed=True)
    (runs.served / "7").mkdir(parents=True)
    (runs.served / "7" / GRAPH_FILE).write_bytes(b"someone else's")
    assert runs.baseline() == [first]


def test_a_model_whose_files_are_gone_is_compared_with_nothing(runs: Runs) -> None:
    model = runs.train(b"graph")
    runs.note(model, pushed=True)
    (Path(runs.models[0].uri) / "Format-Serving" / GRAPH_FILE).unlink()
    assert runs.baseline() == []
