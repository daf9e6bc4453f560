"""What is pushed is whole, known by its manifest, and the newest, whatever the clock says."""

import json
import resource
import stat
import subprocess
import sys
import time

import pytest
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.pusher import IN_SERVICE, Executor, digests, next_version, push
from schemas.files import sync_tree
from schemas.manifest import FILE, GRAPH_FILE, fault


@pytest.fixture
def model(tmp_path):
    """Files as the Trainer leaves them."""
    folder = tmp_path / "model" / "Format-Serving"
    (folder / "variables").mkdir(parents=True)
    (folder / GRAPH_FILE).write_bytes(b"graph" * 1000)
    (folder / "variables" / "variables.index").write_bytes(b"where")
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(bytes(100_000))
    return folder


@pytest.fixture
def served(tmp_path):
    return tmp_path / "served"


def test_a_push_copies_every_file_and_writes_what_they_must_be(model, served):
    version = served / push(str(model), str(served))
    copied = {p.relative_to(version).as_posix() for p in version.rglob("*") if p.is_file()}
    assert copied == {*digests(str(model)), FILE}
    assert json.loads((version / FILE).read_text())["sha256"] == digests(str(model))
    assert fault(version) is None
    (version / "variables" / "variables.index").write_bytes(b"other")
    assert fault(version) == "variables/variables.index is not as it was pushed"


def test_the_folder_of_versions_is_its_owners_and_one_that_is_there_keeps_its_rights(
    served, model, tmp_path
):
    push(str(model), str(served / "deep"))
    assert stat.S_IMODE((served / "deep").stat().st_mode) == 0o700
    (tmp_path / "open").mkdir(mode=0o755)
    push(str(model), str(tmp_path / "open"))
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o755


def test_a_version_is_named_by_the_time_and_is_above_all_others(served, model):
    before = int(time.time())
    assert before <= int(next_version(str(served))) <= time.time()
    for name in ("7", "rollback.json", ".aside"):
        (served / name).mkdir(parents=True)
    assert before <= int(next_version(str(served))) <= time.time()
    future = before + 864_000
    (served / str(future)).mkdir()
    assert push(str(model), str(served)) == str(future + 1)
    assert push(str(model), str(served)) == str(future + 2)


def test_a_push_that_fails_leaves_nothing(model, served):
    """On a disk that takes no more than half of the model."""
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); "
        f"from components.pusher import push; push({str(model)!r}, {str(served)!r})"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 1 and "Error" in run.stderr.splitlines()[-1]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 50_000  # that was the other process
    assert list(served.iterdir()) == []


def test_a_version_has_its_name_once_it_is_whole_and_on_the_disk(model, served, monkeypatch):
    seen: list[str] = []

    def watched(folder):
        sync_tree(folder)
        seen.extend(path.name for path in served.iterdir())
        assert fault(folder) is None

    monkeypatch.setattr("components.pusher.sync_tree", watched)
    version = push(str(model), str(served))
    assert seen == [f".{version}"]
    assert [path.name for path in served.iterdir()] == [version]


@pytest.mark.parametrize("blessed", [True, False])
def test_the_node_pushes_what_is_blessed_and_keeps_a_copy(model, served, tmp_path, blessed):
    made, blessing, pushed = (
        standard_artifacts.Model(), standard_artifacts.ModelBlessing(),
        standard_artifacts.PushedModel(),
    )  # fmt: skip
    made.uri, blessing.uri, pushed.uri = (
        str(tmp_path / name) for name in ("model", "blessing", "kept")
    )
    (tmp_path / "blessing").mkdir()
    (tmp_path / "blessing" / ("BLESSED" if blessed else "NOT_BLESSED")).touch()
    blessing.set_int_custom_property("blessed", int(blessed))
    blessing.set_int_custom_property("current_model_id", 4)
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(served))
    )
    Executor().Do(
        {"model": [made], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {"push_destination": proto_utils.proto_to_json(destination)},
    )
    assert pushed.get_int_custom_property("pushed") == int(blessed)
    assert served.exists() == blessed
    assert pushed.has_custom_property(IN_SERVICE) == blessed
    if blessed:
        (version,) = served.iterdir()
        assert pushed.get_string_custom_property("pushed_version") == version.name
        assert pushed.get_string_custom_property("current_model_id") == "4"
        assert pushed.get_string_custom_property("pushed_destination") == str(version)
        assert digests(pushed.uri) == digests(str(model))
