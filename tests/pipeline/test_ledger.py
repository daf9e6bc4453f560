"""Damage of finished artifacts is found, mended from a copy, or put aside; leftovers go."""

import os
import sqlite3
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.ledger import Ledger
from pipeline.mend import ASIDE, put_aside_damaged, record_finished, remove_leftovers
from pipeline.metadata import Metadata
from pipeline.output import Folders
from pipeline.store import DAMAGED, check_store, keep_store
from schemas.errors import UserError

LIVE, PENDING = metadata_store_pb2.Artifact.LIVE, metadata_store_pb2.Artifact.PENDING


class Runs:
    """A real store and real files of artifacts."""

    def __init__(self, output: Path) -> None:
        self.path, self.artifacts = output / "metadata.sqlite", output / "artifacts"
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.path)
        self.store = mlmd.MetadataStore(config)
        kind = metadata_store_pb2.ArtifactType(name="Examples")
        self._type = self.store.put_artifact_type(kind)

    def make(self, name: str, text: str = "content" * 100, state: int = LIVE) -> Path:
        """An artifact `NODE/OUTPUT/EXECUTION` with two files; returns its folder."""
        place = self.artifacts / name
        (place / "Split-train").mkdir(parents=True)
        (place / "Split-train" / "data.gz").write_text(text)
        (place / "rows.json").write_text("{}")
        made = metadata_store_pb2.Artifact(type_id=self._type, uri=str(place), state=state)
        self.store.put_artifacts([made])
        return place

    @property
    def metadata(self) -> Metadata:
        return Metadata(str(self.path))

    def usable(self) -> set[Path]:
        """What the cache and the look-ups may take."""
        return {Path(artifact.uri) for artifact in self.metadata.finished()}


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


@pytest.mark.parametrize("damage", [halve, flip, Path.unlink, lambda path: path.write_text("")])
def test_a_damaged_artifact_is_named_put_aside_and_never_used_again(runs: Runs, damage) -> None:
    good, bad = (runs.make(f"RatingExampleGen/{key}/4", key * 50) for key in ("examples", "movies"))
    record_finished(runs.metadata, runs.artifacts)
    assert put_aside_damaged(runs.metadata, runs.artifacts) == []
    damage(bad / "Split-train" / "data.gz")
    (said,) = put_aside_damaged(runs.metadata, runs.artifacts)
    aside = runs.artifacts / ASIDE / "RatingExampleGen" / "movies" / "4"
    assert said.startswith(f"{bad} was damaged (Split-train/data.gz ") and str(aside) in said
    assert runs.usable() == {good}
    assert not bad.exists() and (aside / "rows.json").exists()
    assert put_aside_damaged(runs.metadata, runs.artifacts) == []


def test_a_touched_file_is_no_damage_and_an_unknown_artifact_none_either(runs: Runs) -> None:
    place = runs.make("RatingExampleGen/examples/4")
    assert put_aside_damaged(runs.metadata, runs.artifacts) == []
    record_finished(runs.metadata, runs.artifacts)
    os.utime(place / "rows.json", ns=(1, 1))
    assert Ledger(runs.artifacts).fault(place) is None


def test_what_is_kept_twice_is_mended(runs: Runs) -> None:
    model, pushed = runs.make("MovieTrainer/model/9"), runs.make("Pusher/pushed_model/11")
    record_finished(runs.metadata, runs.artifacts)
    halve(model / "Split-train" / "data.gz")
    (said,) = put_aside_damaged(runs.metadata, runs.artifacts)
    assert said.endswith("it is mended from a copy")
    assert runs.usable() == {model, pushed}
    assert put_aside_damaged(runs.metadata, runs.artifacts) == []
    for place in (model, pushed):
        halve(place / "Split-train" / "data.gz")
    assert len(put_aside_damaged(runs.metadata, runs.artifacts)) == 2
    assert runs.usable() == set()


def test_a_damaged_entry_is_written_anew(runs: Runs) -> None:
    place = runs.make("RatingExampleGen/examples/4")
    record_finished(runs.metadata, runs.artifacts)
    (entry,) = (runs.artifacts / ".ledger").iterdir()
    halve(entry)
    assert put_aside_damaged(runs.metadata, runs.artifacts) == []
    record_finished(runs.metadata, runs.artifacts)
    halve(place / "rows.json")
    assert len(put_aside_damaged(runs.metadata, runs.artifacts)) == 1


def test_an_artifact_that_somebody_removed_is_not_used(runs: Runs) -> None:
    place = runs.make("RatingExampleGen/examples/4")
    record_finished(runs.metadata, runs.artifacts)
    place.rename(place.parent.parent.parent.parent / "elsewhere")
    assert put_aside_damaged(runs.metadata, runs.artifacts) == []
    assert runs.usable() == set()


def test_what_killed_nodes_left_is_removed_and_nothing_else(runs: Runs, tmp_path: Path) -> None:
    kept = runs.make("Transform/transform_graph/8")
    half = runs.make("MovieTrainer/model/9", state=PENDING)
    unknown = runs.artifacts / "MovieTrainer" / "model" / "10"
    work = runs.artifacts / "MovieTrainer" / ".system" / "executor_execution"
    own = runs.artifacts / "paintings" / "mine" / "3"
    named = runs.artifacts / "MovieTrainer" / "model" / "of mine"
    for folder in (unknown, work / "9" / ".temp", own, named):
        folder.mkdir(parents=True)
    remove_leftovers(runs.metadata, Folders(tmp_path))
    for folder in (half, unknown, work):
        assert not folder.exists()
    for folder in (kept, own, named):
        assert folder.exists()


def test_an_output_directory_that_was_moved_keeps_its_artifacts(runs: Runs, tmp_path: Path) -> None:
    kept = runs.make("Transform/transform_graph/8")
    moved = Folders(tmp_path / "moved")
    moved.output.mkdir()
    runs.artifacts.rename(moved.artifacts)
    remove_leftovers(runs.metadata, moved)
    assert (moved.artifacts / kept.relative_to(runs.artifacts) / "rows.json").exists()


def test_half_reports_and_versions_are_removed_and_nothing_else(runs: Runs, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    half = [folders.reports / ".20260101-000000-1", folders.serving / ".1764160000"]
    kept = [folders.reports / "20260101-000000", folders.serving / "1764160000",
            folders.serving / ".mine", folders.reports / ".git"]  # fmt: skip
    for folder in (*half, *kept):
        folder.mkdir(parents=True)
    (folders.reports / ".latest").symlink_to("20260101-000000")
    remove_leftovers(runs.metadata, folders)
    left = {path for place in (folders.reports, folders.serving) for path in place.iterdir()}
    assert left == set(kept)


@pytest.mark.parametrize("damage", [halve, lambda path: path.write_text(""),
                                    lambda path: path.write_text("no database" * 100)])  # fmt: skip
def test_a_damaged_store_gives_way_to_the_copy_of_the_last_good_one(runs: Runs, damage) -> None:
    kept = runs.make("Transform/transform_graph/8")
    assert check_store(runs.path, runs.artifacts) == ()
    keep_store(runs.path)
    damage(runs.path)
    (said,) = check_store(runs.path, runs.artifacts)
    assert f"{runs.path} was damaged (" in said and "metadata.sqlite.damaged" in said
    assert runs.path.with_name(runs.path.name + DAMAGED).exists()
    assert runs.usable() == {kept}
    assert check_store(runs.path, runs.artifacts) == ()


def test_without_a_whole_copy_a_sentence_says_how_to_go_on(runs: Runs) -> None:
    runs.make("Transform/transform_graph/8")
    halve(runs.path)
    before = runs.path.read_bytes()
    with pytest.raises(UserError, match=r"metadata.sqlite is damaged \(.*move it away"):
        check_store(runs.path, runs.artifacts)
    assert runs.path.read_bytes() == before
    runs.path.with_name("metadata.sqlite.kept").write_text("nor is this")
    with pytest.raises(UserError, match="move it away"):
        check_store(runs.path, runs.artifacts)


def test_a_new_store_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "metadata.sqlite"
    assert check_store(path, tmp_path / "artifacts") == ()
    assert not path.exists()
    path.touch()
    assert check_store(path, tmp_path / "artifacts") == ()


def test_a_copy_is_a_database_of_its_own(runs: Runs) -> None:
    keep_store(runs.path)
    kept = runs.path.with_name("metadata.sqlite.kept")
    with sqlite3.connect(kept) as store:
        assert store.execute("SELECT name FROM Type WHERE name = 'Examples'").fetchall()
    assert not kept.with_name(f".{kept.name}").exists()
