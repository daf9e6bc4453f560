"""`greenlight report` on what an output directory holds, and the mistakes one can make with it."""

import json
import shutil
from typing import Any

import pytest

from components.pusher import push
from pipeline.commands.report import report
from pipeline.metadata import NodeRun
from pipeline.output import Folders
from pipeline.publish import publish
from pipeline.reports import find_run, pushed_version, rebuild, version_states, write_history
from schemas.errors import UserError
from schemas.manifest import GRAPH_FILE
from serving import rollback
from tests.pipeline.test_publish import FACTS, FILES, GATE, METRICS, RUNS, Stored, _content


@pytest.fixture
def reports(tmp_path):
    """The reports of two runs, the second refused."""
    for run_id, blessed in (("20260101-000000", True), ("20260102-000000", False)):
        folder = tmp_path / f"artifact-{run_id}"
        folder.mkdir()
        gates = [GATE | {"passed": blessed}]
        stored: Any = Stored(folder, _content(run_id=run_id, blessed=blessed, gates=gates))
        version = "7" if blessed else None
        publish(stored, RUNS, tmp_path / "reports", run_id, version)
    return tmp_path / "reports"


@pytest.mark.parametrize(
    "name", ["20260102-000000", "latest", "reports/20260102-000000", "/x/20260102-000000/"]
)
def test_a_run_is_found_by_id_folder_or_as_the_latest(reports, name):
    assert find_run(reports, name) == reports / "20260102-000000"


def test_a_run_that_is_not_there_is_said_in_one_sentence(reports):
    with pytest.raises(UserError, match=r"no report of a run 'first' .* 20260101-000000, 20260102"):
        find_run(reports, "first")
    with pytest.raises(UserError, match="has no reports"):
        report(output_dir=str(reports / "nowhere"))


def test_history_shows_every_run_once(reports):
    (reports / "20260101-000000" / "index.html").unlink()  # as earlier versions left it
    path = write_history(reports)
    text = path.read_text()
    assert path == reports / "history.html"
    for link in ("20260101-000000/blessing.json", "20260102-000000/index.html"):
        assert text.count(f'href="{link}"') == 1
    assert "2 runs, 1 blessed" in text and not (reports / ".history.html").exists()


def test_history_says_what_became_of_each_version(reports, tmp_path):
    serving = tmp_path / "serving_model"
    for version in ("7", "8", "9"):
        (serving / version).mkdir(parents=True)
        (serving / version / GRAPH_FILE).touch()
    assert version_states(serving) == {
        "9": "in service", "8": "promoted, since replaced", "7": "promoted, since replaced",
    }  # fmt: skip
    assert "7, promoted, since replaced" in write_history(reports).read_text()
    rollback.write(serving, rollback.Rollback(7, newest=8))
    assert version_states(serving)["9"] == "in service"
    assert version_states(serving)["8"] == "rolled back"
    (serving / "9" / GRAPH_FILE).unlink()
    assert version_states(serving) == {"7": "in service", "8": "rolled back"}
    assert "7, in service" in write_history(reports).read_text()
    shutil.rmtree(serving)
    assert "7, removed" in write_history(reports).read_text()


class Pushed:
    """Stands for ML Metadata: it knows what the Pusher kept."""

    def __init__(self, folder):
        self.folder = folder

    def output(self, run, key):
        assert (run.node, key) == ("Pusher", "pushed_model")
        return str(self.folder)


def test_the_pushed_version_is_the_newest_of_the_same_files(tmp_path):
    kept, serving = tmp_path / "kept", tmp_path / "serving_model"
    kept.mkdir()
    known: Any = Pushed(kept)
    runs = [NodeRun("Pusher", "done", 0.1, 1)]
    assert pushed_version(known, runs, serving) is None  # it pushed nothing
    (kept / GRAPH_FILE).write_bytes(b"graph")
    assert pushed_version(known, runs, serving) is None  # what it pushed is gone
    first, second = (push(str(kept), str(serving)) for _ in range(2))
    (kept / GRAPH_FILE).write_bytes(b"another")
    push(str(kept), str(serving))
    (kept / GRAPH_FILE).write_bytes(b"graph")
    assert int(first) < int(second)
    assert pushed_version(known, runs, serving) == second


def test_history_of_nothing_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match="no finished run yet"):
        write_history(tmp_path)


def test_a_run_of_an_earlier_version_cannot_be_rebuilt(reports, tmp_path):
    with pytest.raises(UserError, match="run it again"):
        rebuild(Folders(tmp_path), reports / "20260101-000000")


def test_rewriting_a_report_leaves_whole_files_only(reports):
    from pipeline.publish import write

    place = reports / "20260101-000000"
    write(place, _content(run_id="20260101-000000", metrics=METRICS), FACTS)
    assert sorted(path.name for path in place.iterdir()) == FILES
    assert json.loads((place / "blessing.json").read_text())["seconds"] == {}
