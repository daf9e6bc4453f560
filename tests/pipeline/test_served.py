"""What counts as served: a whole version of the same files, under whatever number."""

import pytest

from components.pusher import push
from pipeline.served import is_served
from schemas.manifest import FILE, GRAPH_FILE


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / GRAPH_FILE).write_bytes(b"graph")
    return folder


@pytest.fixture
def version(model, tmp_path):
    return tmp_path / "served" / push(str(model), str(tmp_path / "served"))


def test_a_pushed_model_is_served_under_whatever_number(model, version):
    assert is_served(model, version.parent)
    version.rename(version.with_name("3"))
    assert is_served(model, version.parent)


def test_another_model_is_not_this_one(model, version):
    (model / GRAPH_FILE).write_bytes(b"another")
    assert not is_served(model, version.parent)


@pytest.mark.parametrize("damaged", [GRAPH_FILE, FILE])
def test_a_version_that_is_damaged_is_not_served(model, version, damaged):
    (version / damaged).write_bytes(b"dam")
    assert not is_served(model, version.parent)


def test_a_version_that_is_gone_is_not_served(model, version):
    (version / GRAPH_FILE).unlink()
    assert not is_served(model, version.parent)
    assert not is_served(model, model.parent / "nowhere")


def test_a_version_from_before_manifests_is_served_by_its_files(model, version):
    (version / FILE).unlink()
    assert is_served(model, version.parent)
    (version / GRAPH_FILE).write_bytes(b"dam")
    assert not is_served(model, version.parent)
