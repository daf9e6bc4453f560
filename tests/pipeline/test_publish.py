"""A finished run's report goes to its place whole, and the newest is `latest`."""

import errno
import io
import json
from typing import Any

import pytest
from jsonschema import ValidationError
from rich.console import Console

from pipeline.config import Config
from pipeline.metadata import NodeRun
from pipeline.publish import closing_tables, last_seconds, publish, read_blessing
from schemas.errors import UserError

GATE = {
    "name": "beats popularity", "metric": "hit_rate@10", "slice": "overall", "kind": "baseline",
    "value": 0.0312, "bound": 0.0, "interval": [0.01, 0.05], "judged": True, "passed": True,
    "reason": "it is better",
}  # fmt: skip
METRICS = {"overall": {"rmse": 0.9, "hit_rate@10": 0.1}}
FACTS = {
    "scale": [1.0, 5.0], "slices": {"hit_rate@10": [], "rmse": []},
    "intervals": {"popularity": {}, "bias": {}},
    "bands": {"calibration": [], "error": []}, "people": [], "lineage": [], "versions": {},
    "data": {"ratings": [], "activity": [], "popularity": [], "users": 1, "movies": 2,
             "times": []},
    "compared": "Compared with nothing.", "fingerprint": "none",
}  # fmt: skip
FILES = ["blessing.json", "index.html", "report.md"]
RUNS = [
    NodeRun("RatingExampleGen", "done", 6.0004, 1),
    NodeRun("MovieTrainer", "cached", 0.02, 2),
    NodeRun("BlessingReport", "done", 1.5, 3),
]


def _content(**changed):
    size = {"ratings": 7000, "examples": 10, "tied": 5}
    return {
        "run_id": "r1", "blessed": True, "reasons": ["it is good"], "notes": [],
        "config": Config().model_dump(),
        "split": {"kind": "temporal", "history": "before"}
        | dict.fromkeys(("train", "valid", "eval"), size),
        "metrics": METRICS, "intervals": {}, "slices": {}, "lists": {},
        "baselines": {"popularity": METRICS, "bias": METRICS},
        "gates": [GATE, GATE | {"kind": "blessed", "interval": None, "passed": False}],
        "training": {"best_epoch": 1, "epochs": [{}]}, "drift": [],
        "rows": {"read": 9000, "kept": 8000, "dropped": {}, "samples": []}, "seconds": {},
    } | changed  # fmt: skip


class Stored:
    """Stands for ML Metadata: it knows where the report's node wrote."""

    def __init__(self, folder, content):
        self.folder, self.asked = folder, []
        (folder / "blessing.json").write_text(json.dumps(content))
        (folder / "facts.json").write_text(json.dumps(FACTS))

    def output(self, run, key):
        self.asked.append((run.node, key))
        return str(self.folder)


@pytest.fixture
def make(tmp_path):
    def run(run_id, **changed):
        folder = tmp_path / f"artifact-{run_id}"
        folder.mkdir()
        stored: Any = Stored(folder, _content(run_id=run_id, **changed))
        found = publish(stored, RUNS, tmp_path / "reports", run_id)
        assert stored.asked == [("BlessingReport", "report")]
        return found

    return run


def test_the_report_and_each_nodes_seconds_are_published(make, tmp_path):
    content, place = make("r1")
    assert place == tmp_path / "reports" / "r1"
    assert json.loads((place / "blessing.json").read_text()) == content
    assert sorted(path.name for path in place.iterdir()) == FILES
    assert "<h1>" in (place / "index.html").read_text()
    assert (place / "report.md").read_text().startswith("# Blessed")
    assert content["seconds"] == {
        "RatingExampleGen": 6.0, "MovieTrainer": 0.02, "BlessingReport": 1.5,
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["latest", "r1"]


def test_latest_moves_on(make, tmp_path):
    latest = tmp_path / "reports" / "latest"
    for run_id in ("r1", "r2"):
        make(run_id)
        assert latest.is_symlink() and str(latest.readlink()) == run_id
        assert json.loads((latest / "blessing.json").read_text())["run_id"] == run_id
    assert (tmp_path / "reports" / "r1" / "blessing.json").exists()


def test_a_report_that_breaks_its_schema_is_not_published(make, tmp_path):
    make("r1")
    with pytest.raises(ValidationError):
        make("r2", reasons=[])
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["latest", "r1"]
    assert (tmp_path / "reports" / "latest").resolve().name == "r1"


def test_a_report_is_written_aside_until_it_is_whole(make, tmp_path, monkeypatch):
    make("r1")
    reports = tmp_path / "reports"

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("schemas.files.os.fsync", full)  # a full disk may tell no sooner
    with pytest.raises(OSError, match="No space left"):
        make("r2")
    assert sorted(path.name for path in reports.iterdir()) == ["latest", "r1"]
    assert (reports / "latest").resolve().name == "r1"


def test_a_damaged_report_says_nothing_of_seconds_and_how_it_is_mended(make, tmp_path):
    make("r1")
    path = tmp_path / "reports" / "r1" / "blessing.json"
    path.write_bytes(path.read_bytes()[:30])
    assert last_seconds(tmp_path / "reports") == {}
    with pytest.raises(UserError, match=r"blessing\.json is damaged: `greenlight report r1`"):
        read_blessing(tmp_path / "reports" / "latest")


def test_last_seconds_leave_out_what_came_from_the_cache(make, tmp_path):
    assert last_seconds(tmp_path / "reports") == {}
    make("r1")
    assert last_seconds(tmp_path / "reports") == {"RatingExampleGen": 6.0, "BlessingReport": 1.5}


def _shown(content):
    shown = io.StringIO()
    console = Console(file=shown, width=160)
    for table in closing_tables(RUNS, content):
        console.print(table)
    return shown.getvalue()


def test_the_closing_tables_show_nodes_then_gates():
    text = _shown(_content())
    assert text.index("RatingExampleGen") < text.index("beats popularity")
    lines = {line.split()[1]: line for line in text.splitlines() if "│" in line}
    assert "9,000" in lines["RatingExampleGen"] and "6.0" in lines["RatingExampleGen"]
    assert "cached" in lines["MovieTrainer"] and "7,000" in lines["MovieTrainer"]
    for words in ("+0.0312", "+0.0100 to +0.0500", "passed", "failed"):
        assert words in text


def test_the_closing_tables_fold_what_is_sound(tmp_path):
    sane = GATE | {"name": "no list repeats a movie", "kind": "sanity", "interval": None}
    worn = sane | {"name": "no list holds a [seen] movie", "passed": False}
    text = _shown(_content(gates=[sane, sane, worn, GATE | {"judged": False}]))
    assert "2 on sound lists and export" in text and "repeats" not in text
    assert "no list holds a [seen] movie" in text and "not judged" in text


def test_at_80_columns_no_name_of_a_metric_is_broken():
    gate = {**GATE, "name": "no worse than the blessed model", "metric": "unmasked/hit_rate@100"}
    screen = io.StringIO()
    for table in closing_tables(RUNS, _content(gates=[gate])):
        Console(file=screen, width=80).print(table)
    text = screen.getvalue()
    assert "unmasked/hit_rate@100" in text and "\u2026" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_closing_tables_bear_a_model_without_numbers():
    gate = GATE | {"value": None, "interval": [None, None], "passed": False}
    assert "no number to no number" in _shown(_content(gates=[gate, gate]))
