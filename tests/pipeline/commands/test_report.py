"""`greenlight report` on what an output directory holds, and the mistakes one can make with it."""

import json
from typing import Any

import pytest

from pipeline.commands.report import report
from pipeline.output import Folders
from pipeline.publish import publish
from pipeline.reports import find_run, rebuild, write_history
from schemas.errors import UserError
from tests.pipeline.test_publish import FACTS, FILES, GATE, METRICS, RUNS, Stored, _content


@pytest.fixture
def reports(tmp_path):
    """The reports of two runs, the second refused."""
    for run_id, blessed in (("20260101-000000", True), ("20260102-000000", False)):
        folder = tmp_path / f"artifact-{run_id}"
        folder.mkdir()
        gates = [GATE | {"passed": blessed}]
        stored: Any = Stored(folder, _content(run_id=run_id, blessed=blessed, gates=gates))
        publish(stored, RUNS, tmp_path / "reports", run_id)
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
