"""The README and the docs say of accuracy what the benchmark measured, and nothing else."""

import copy
import json

import pytest

from benchmarks import accuracy_tables
from benchmarks.accuracy_tables import DATA, PAGES, RESULTS, SPLITS, load, rendered, taken

METRICS = {"hit_rate@10": 0.2, "hit_rate@100": 0.5, "ndcg@10": 0.1, "rmse": 0.9}
NEW = {
    "source": "movielens-latest",
    "split": "temporal",
    "seeds": [42],
    "command": "python -m benchmarks.accuracy",
    "date": "2030-01-02",
    "results": {
        "Greenlight": {**METRICS, "new users: rmse": 0.95},
        "EASE": {"hit_rate@10": 0.15, "hit_rate@100": 0.6, "ndcg@10": 0.1},
        "iALS": {"hit_rate@10": 0.18, "hit_rate@100": 0.4, "ndcg@10": 0.05},
        "bias": {"rmse": 0.98, "new users: rmse": 0.93},
        "myFM": {"rmse": 0.95, "new users: rmse": 0.94},
    },
    "noise": {**dict.fromkeys(METRICS, 0.003), "new users: rmse": 0.004},
}


@pytest.mark.parametrize("path", list(PAGES), ids=[path.name for path in PAGES])
def test_a_page_shows_what_was_measured(path):
    text = path.read_text(encoding="utf-8")
    assert rendered(text, PAGES[path](load())) == text


@pytest.mark.parametrize("path", list(PAGES), ids=[path.name for path in PAGES])
def test_a_page_changes_with_every_figure_that_it_shows(path):
    for place in range(len(load())):
        for metric in ("hit_rate@10", "rmse"):
            changed = copy.deepcopy(load())
            changed[place]["results"]["Greenlight"][metric] += 0.0001
            assert PAGES[path](changed) != PAGES[path](load())


def test_every_measurement_says_what_it_is_of():
    for one in load():
        assert {"source", "split", "seeds", "command", "date", "results", "noise"} <= one.keys()
        assert one["source"] in DATA and one["split"] in SPLITS
        assert f"--source {one['source']} " in one["command"]
        assert f"--split {one['split']} " in one["command"]
        assert one["noise"].keys() == one["results"]["Greenlight"].keys()


def test_what_is_ahead_is_bold_beside_the_best_peer():
    short, long = (table([NEW]).splitlines()[2:] for table in PAGES.values())
    assert short == ["| ml-latest-small, by time | **0.2** / 0.18 iALS | **0.9** / 0.95 myFM |"]
    assert long == [
        "| ml-latest-small, by time | **0.2** ± 0.003 / 0.18 iALS | 0.5 ± 0.003 / 0.6 EASE "
        "| 0.1 ± 0.003 / 0.1 EASE | **0.9** ± 0.003 / 0.95 myFM | 2030-01-02 |",
        "| the same, new users |  |  |  | 0.95 ± 0.004 / 0.93 bias |  |",
    ]


def test_a_new_measurement_takes_the_place_of_the_older():
    measured = load()
    changed = taken(measured, NEW)
    assert len(changed) == len(measured) and NEW in changed
    assert [one for one in changed if one != NEW] == [
        one for one in measured if (one["source"], one["split"]) != (NEW["source"], NEW["split"])
    ]
    another = {**NEW, "source": "movielens-1m"}
    assert [one["source"] for one in taken([NEW], another)] == ["movielens-latest", "movielens-1m"]
    assert taken([another], NEW) == taken([NEW], another)


def test_what_has_no_place_is_refused():
    with pytest.raises(SystemExit, match="no place"):
        taken(load(), {**NEW, "source": "mine.yaml"})
    with pytest.raises(SystemExit, match="between"):
        rendered("a page without a place for the table", "")


def test_the_command_takes_a_file_in_and_writes_the_pages(tmp_path, monkeypatch):
    pages = {tmp_path / path.name: table for path, table in PAGES.items()}
    for path in (*PAGES, RESULTS):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(accuracy_tables, "PAGES", pages)
    monkeypatch.setattr(accuracy_tables, "RESULTS", tmp_path / RESULTS.name)
    exact = copy.deepcopy(NEW)
    exact["results"]["Greenlight"]["rmse"] = 0.123449
    (tmp_path / "new.json").write_text(json.dumps(exact))
    monkeypatch.setattr("sys.argv", ["accuracy_tables", str(tmp_path / "new.json")])
    accuracy_tables.main()
    for path in pages:
        assert "**0.1234**" in path.read_text(encoding="utf-8")
    kept = load(tmp_path / RESULTS.name)
    (new,) = (one for one in kept if one["date"] == NEW["date"])
    assert new["results"]["EASE"] == NEW["results"]["EASE"] and len(kept) == len(load())
