"""What is old is freed, but for what is served, blessed, pushed or reported."""

import json
import sys
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.pusher import push
from pipeline import cli
from pipeline.clean import find_old, remove
from pipeline.metadata import Metadata
from pipeline.output import Folders
from schemas.manifest import GRAPH_FILE
from tests.pipeline.events import put_event

KINDS = ("Examples", "Model", "ModelBlessing", "PushedModel")


class Output:
    """An output directory with a real store, and what runs leave in them."""

    def __init__(self, folder: Path) -> None:
        self.folders = Folders(folder)
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.folders.metadata)
        self.store = mlmd.MetadataStore(config)
        proto = metadata_store_pb2
        self._kinds = {n: self.store.put_artifact_type(proto.ArtifactType(name=n)) for n in KINDS}
        self._node = self.store.put_execution_type(proto.ExecutionType(name="tfx.Node"))
        self._run = self.store.put_context_type(proto.ContextType(name="pipeline_run"))
        kind = self.store.put_context_type(proto.ContextType(name="node"))
        context = proto.Context(type_id=kind, name="greenlight.BlessingReport")
        (self._reporter,) = self.store.put_contexts([context])
        self._made = 0

    def run(self, name: str) -> dict[str, int]:
        """A run's artifacts by their types; its report reads its Examples."""
        context = metadata_store_pb2.Context(type_id=self._run, name=name)
        (run,) = self.store.put_contexts([context])
        made = {kind: self._artifact(kind) for kind in KINDS}
        for artifact in made.values():
            link = metadata_store_pb2.Attribution(artifact_id=artifact, context_id=run)
            self.store.put_attributions_and_associations([link], [])
        report = metadata_store_pb2.Execution(type_id=self._node)
        report.custom_properties["run_id"].string_value = name
        (node,) = self.store.put_executions([report])
        of = metadata_store_pb2.Association(execution_id=node, context_id=self._reporter)
        self.store.put_attributions_and_associations([], [of])
        put_event(self.store, node, made["Examples"], "examples", "INPUT")
        (pusher,) = self.store.put_executions([metadata_store_pb2.Execution(type_id=self._node)])
        self.store.put_attributions_and_associations(
            [], [metadata_store_pb2.Association(execution_id=pusher, context_id=self._reporter)]
        )
        put_event(self.store, pusher, made["Model"], "model", "INPUT")
        put_event(self.store, pusher, made["PushedModel"], "pushed_model", "OUTPUT")
        return made

    def _artifact(self, kind: str) -> int:
        self._made += 1
        place = self.folders.artifacts / "MovieTrainer" / kind.lower() / str(self._made)
        (place / "Format-Serving").mkdir(parents=True)
        (place / "Format-Serving" / GRAPH_FILE).write_text(f"{kind} {self._made}")
        artifact = metadata_store_pb2.Artifact(
            type_id=self._kinds[kind], uri=str(place), state=metadata_store_pb2.Artifact.LIVE
        )
        (made,) = self.store.put_artifacts([artifact])
        return int(made)

    def mark(self, artifact: int, **properties: int) -> None:
        (stored,) = self.store.get_artifacts_by_id([artifact])
        for name, value in properties.items():
            stored.custom_properties[name].int_value = value
        self.store.put_artifacts([stored])

    def place(self, artifact: int) -> Path:
        (stored,) = self.store.get_artifacts_by_id([artifact])
        return Path(stored.uri)

    def report(self, run: str, blessed: bool) -> Path:
        folder = self.folders.reports / run
        folder.mkdir(parents=True)
        (folder / "blessing.json").write_text(json.dumps({"blessed": blessed}))
        return folder

    def old(self, keep: int = 0, days: float = -1.0, refused: bool = False) -> set[int]:
        return set(find_old(self.metadata, self.folders, keep, days, refused).artifacts)

    @property
    def metadata(self) -> Metadata:
        return Metadata(str(self.folders.metadata))


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path)


def test_the_newest_runs_and_what_is_young_stay(output: Output) -> None:
    first, second = (set(output.run(name).values()) for name in ("1", "2"))
    assert output.old() == first | second
    assert output.old(keep=1) == first
    assert output.old(keep=2) == set()
    assert output.old(days=1) == set()


def test_what_is_served_blessed_pushed_or_reported_stays(output: Output) -> None:
    served, blessed, pushed, reported = (output.run(str(name)) for name in range(4))
    output.mark(blessed["ModelBlessing"], blessed=1, current_model_id=blessed["Model"])
    output.mark(pushed["PushedModel"], pushed=1)
    push(str(output.place(served["Model"]) / "Format-Serving"), str(output.folders.serving))
    output.report("3", blessed=False)
    kept = {served["Model"], blessed["Model"], blessed["ModelBlessing"], pushed["PushedModel"],
            pushed["Model"], reported["Examples"]}  # fmt: skip
    runs = (served, blessed, pushed, reported)
    assert output.old() == {one for run in runs for one in run.values()} - kept


def test_old_refusals_go_with_their_reports_where_that_is_asked_for(output: Output) -> None:
    names = ("20260101-000000", "20260102-000000", "20260103-000000", "20260104-000000")
    runs = [output.run(name) for name in names]
    reports = [output.report(name, blessed=name == names[1]) for name in names]
    (output.folders.reports / "latest").symlink_to(names[3])
    assert not output.old() & {run["Examples"] for run in runs}
    found = find_old(output.metadata, output.folders, 0, -1.0, refused=True)
    assert list(found.folders) == [reports[0], reports[2]]
    assert {run["Examples"] for run in runs} & set(found.artifacts) == {
        runs[0]["Examples"], runs[2]["Examples"],
    }  # fmt: skip
    found = find_old(output.metadata, output.folders, 3, -1.0, refused=True)
    assert list(found.folders) == [reports[0]]


def test_what_is_removed_is_never_taken_for_whole(output: Output) -> None:
    first, second = output.run("1"), output.run("2")
    unfinished = output.folders.checkpoints / "0123"
    unfinished.mkdir(parents=True)
    (unfinished / "ckpt-1.index").write_text("x" * 100)
    found = find_old(output.metadata, output.folders, 1, -1.0)
    assert found.bytes > 100 and list(found.folders) == [unfinished]
    remove(found, output.metadata, output.folders)
    assert {one.id for one in output.metadata.finished()} == set(second.values())
    assert not unfinished.exists()
    for artifact in first.values():
        assert not output.place(artifact).exists()
    assert find_old(output.metadata, output.folders, 1, -1.0).bytes == 0


def test_the_command_says_what_it_frees(
    output: Output, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    output.run("1")
    words = ["greenlight", "clean", "--output-dir", str(output.folders.output), "--days", "0"]
    said = []
    for more in (["--keep", "0", "--dry-run"], ["--keep", "0"], ["--keep", "0"]):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said.append((ended.value.code, capfd.readouterr().out.partition(", and")[0]))
    assert said == [
        (0, "0.0 MB would be freed: 4 artifacts"), (0, "0.0 MB are freed: 4 artifacts"),
        (0, "0.0 MB are freed: 0 artifacts"),
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["greenlight", "clean", "--output-dir", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2 and "nowhere holds no runs" in capfd.readouterr().err
