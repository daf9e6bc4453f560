"""Which version of a folder comes first, and what is said of a folder that holds none."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import UserError
from serving import rollback
from serving.folder import check_folder, complete_versions, in_order, require_version, there_are
from serving.rollback import Rollback


def _make(folder, *versions):
    for version in versions:
        (folder / version).mkdir(parents=True)
        (folder / version / "saved_model.pb").touch()
    return folder


def _names(paths):
    return [path.name for path in paths]


def test_the_newest_complete_version_comes_first(tmp_path):
    _make(tmp_path, "2", "10", "009")
    (tmp_path / "11").mkdir()
    (tmp_path / "link").symlink_to("2")
    (tmp_path / "12").symlink_to("2")
    (tmp_path / "13").write_text("a file")
    assert _names(complete_versions(tmp_path)) == ["2", "009", "10", "12"]
    assert _names(in_order(tmp_path)) == ["12", "10", "009", "2"]
    assert _names(in_order(tmp_path, 9)) == ["009"]
    assert in_order(tmp_path, 7) == []


@given(
    st.sets(st.integers(0, 30), min_size=1), st.integers(0, 30), st.sets(st.integers(31, 40)),
    st.sets(st.integers(0, 30)),
)  # fmt: skip
def test_after_a_rollback(tmp_path_factory, before, target, pushed, removed):
    """Pushed since, then rolled back to and older, then what was rolled back; each newest first."""
    folder = tmp_path_factory.mktemp("versions")
    there = (before - removed) | pushed
    _make(folder, *map(str, there))
    rollback.write(folder, Rollback(target, max(before)))
    found = [int(path.name) for path in in_order(folder)]
    older = {number for number in there if number <= target and number <= max(before)}
    groups = [pushed, older, there - pushed - older]
    assert found == [number for group in groups for number in sorted(group, reverse=True)]
    rollback.write(folder, None)
    assert [int(path.name) for path in in_order(folder)] == sorted(there, reverse=True)
    shutil.rmtree(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"serve": "x", "until_newer_than": 1}', "{}"])
def test_a_broken_rollback_is_said_and_leaves_no_choice(tmp_path, text):
    _make(tmp_path, "1", "2")
    (tmp_path / rollback.FILE).write_text(text)
    with pytest.raises(UserError, match=r"rollback\.json cannot be read"):
        in_order(tmp_path)


def test_a_rollback_is_written_aside(tmp_path):
    rollback.write(tmp_path, Rollback(3, 7))
    assert [path.name for path in tmp_path.iterdir()] == ["rollback.json"]
    assert json.loads((tmp_path / "rollback.json").read_text()) == {
        "serve": 3,
        "until_newer_than": 7,
    }
    assert rollback.read(tmp_path) == Rollback(3, 7)
    with pytest.raises(UserError, match="cannot be written"):
        rollback.write(tmp_path / "nowhere", Rollback(3, 7))


def test_every_wrong_folder_is_named_with_what_to_give_instead(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _make(tmp_path / "run" / "serving_model", "17", "18")
    _make(tmp_path / "artifacts", "Format-Serving")
    (tmp_path / "empty").mkdir()
    (tmp_path / "half" / "5" / "variables").mkdir(parents=True)
    wrong = {
        "gs://bucket/serving_model": "gs://bucket/serving_model is no folder of this machine",
        "s3://bucket/models": "s3://bucket/models is no folder of this machine",
        "run/serving_model/17/saved_model.pb": "is a file",
        "run/serving_model/17": f"give {tmp_path}/run/serving_model, and --version 17",
        "artifacts/Format-Serving": "put it into a folder under a number, as FOLDER/1",
        "run": "is an output directory, not its folder of versions: give run/serving_model",
        ".": "give run/serving_model",
        "empty": "There is no model in empty: `greenlight run` pushes one there",
        "half": "No version in half is complete: 5 lacks its saved_model.pb",
        "nowhere": "There is no folder nowhere",
    }
    from pathlib import Path

    for given_, words in wrong.items():
        with pytest.raises(UserError) as caught:
            require_version(Path(given_))
        said = str(caught.value)
        assert words in said and "\n" not in said and said.endswith("."), said
    require_version(Path("run/serving_model"))
    with pytest.raises(
        UserError, match=r"no version 5 in run/serving_model: there are 17 and 18\."
    ):
        require_version(Path("run/serving_model"), 5)


def test_what_may_come_into_being_is_no_wrong_folder(tmp_path):
    for folder in (tmp_path, tmp_path / "later", _make(tmp_path / "models", "1")):
        check_folder(folder)


def test_versions_are_named_in_words(tmp_path):
    assert there_are([tmp_path / "7"]) == "there is only 7"
    many = [tmp_path / str(number) for number in range(1, 14)]
    assert there_are(many).startswith("there are 3 older ones, 4, 5,")
    assert there_are(many).endswith("12 and 13")
