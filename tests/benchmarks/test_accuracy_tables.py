"""The README and the docs say of accuracy what was measured, and nothing else."""

import copy
import json
from typing import Any

import pytest

from benchmarks import accuracy_tables
from benchmarks.accuracy_tables import (
    DATA,
    PAGES,
    PEERS,
    RESULTS,
    ROOT,
    RUN,
    SPLITS,
    TABLES,
    load,
    rendered,
    taken,
)
from benchmarks.run_tables import gate_lines
from pipeline.config import Config
from schemas.source import load_source

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
# Where README and docs show a figure: the path to it in the results.
FIGURES = [
    *(
        (PEERS, place, "results", "Greenlight", "hit_rate@10")
        for place in range(len(load()[PEERS]))
    ),
    *((PEERS, place, "results", "Greenlight", "rmse") for place in range(len(load()[PEERS]))),
    (PEERS, 0, "results", "EASE", "hit_rate@10"),
    (RUN, "metrics", "overall", "rmse"),
    (RUN, "baselines", "bias", "overall", "rmse"),
    (RUN, "metrics", "session=after a pause", "hit_rate@10"),
    (RUN, "baselines", "popularity", "history=0", "hit_rate@10"),
    (RUN, "slices", "session=same", "users"),
]


def _blessing():
    """A blessing.json of a default run, as far as it is read."""
    run = copy.deepcopy(load()[RUN])
    default = Config(output_dir="/somewhere/else")
    config = default.of(load_source(default.source)).model_dump(mode="json")
    run["metrics"]["overall"]["rmse"] = 0.123449
    return {**run, "run_id": "20300102-030405", "config": {**config, "dropped_since": 1}}


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_a_page_shows_what_was_measured(path):
    text = path.read_text(encoding="utf-8")
    assert rendered(text, load()) == text
    assert "<!-- table: " in text


def test_every_table_is_on_a_page():
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert [text.count(f"<!-- table: {name} -->\n") for name in TABLES] == [1] * len(TABLES)


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: "/".join(map(str, path)))
def test_a_figure_that_changes_shows(path):
    results = copy.deepcopy(load())
    *parents, name = path
    part: Any = results
    for parent in parents:
        part = part[parent]
    part[name] += 1
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    assert [rendered(page, results) for page in pages] != pages


def test_the_run_that_the_readme_ends_with_is_the_one_measured():
    readme, run = (ROOT / "README.md").read_text(encoding="utf-8"), load()[RUN]
    assert f"reports/{run['run_id']}\n" in readme
    assert len(gate_lines(run)) == 2
    for line in gate_lines(run):
        assert line in readme


def test_every_measurement_says_what_it_is_of():
    for one in load()[PEERS]:
        assert {"source", "split", "seeds", "command", "date", "results", "noise"} <= one.keys()
        assert one["source"] in DATA and one["split"] in SPLITS
        assert f"--source {one['source']} " in one["command"]
        assert f"--split {one['split']} " in one["command"]
        assert one["noise"].keys() == one["results"]["Greenlight"].keys()


def test_what_is_ahead_is_bold_beside_the_best_peer():
    names = ("accuracy in short", "accuracy")
    short, long = (TABLES[name]({PEERS: [NEW]}).splitlines()[2:] for name in names)
    assert short == ["| ml-latest-small, by time | **0.2** / 0.18 iALS | **0.9** / 0.95 myFM |"]
    assert long == [
        "| ml-latest-small, by time | **0.2** ± 0.003 / 0.18 iALS | 0.5 ± 0.003 / 0.6 EASE "
        "| 0.1 ± 0.003 / 0.1 EASE | **0.9** ± 0.003 / 0.95 myFM | 2030-01-02 |",
        "| the same, new users |  |  |  | 0.95 ± 0.004 / 0.93 bias |  |",
    ]


def test_a_new_measurement_takes_the_place_of_the_older():
    results = load()
    changed = taken(results, NEW)
    assert changed[RUN] == results[RUN] and NEW in changed[PEERS]
    rest = [one for one in results[PEERS] if (one["source"], one["split"]) != (
        NEW["source"], NEW["split"])]  # fmt: skip
    assert [one for one in changed[PEERS] if one != NEW] == rest
    another = {**NEW, "source": "movielens-1m"}
    both = taken({PEERS: [NEW]}, another)
    assert [one["source"] for one in both[PEERS]] == ["movielens-latest", "movielens-1m"]
    assert taken({PEERS: [another]}, NEW) == both


def test_what_has_no_place_or_other_settings_is_refused():
    with pytest.raises(SystemExit, match="no place"):
        taken(load(), {**NEW, "source": "mine.yaml"})
    other = _blessing()
    other["config"]["model"]["dims"] = 32
    with pytest.raises(SystemExit, match="other settings"):
        taken(load(), other)
    del other["config"]["model"]
    with pytest.raises(SystemExit, match="other settings"):
        taken(load(), other)


def test_the_command_takes_files_in_and_writes_the_pages(tmp_path, monkeypatch):
    pages = [tmp_path / path.name for path in PAGES]
    for path in (*PAGES, RESULTS):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(accuracy_tables, "PAGES", pages)
    monkeypatch.setattr(accuracy_tables, "RESULTS", tmp_path / RESULTS.name)
    files = {"new.json": NEW, "blessing.json": _blessing()}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["tables", *(str(tmp_path / name) for name in files)])
    accuracy_tables.main()
    readme, page = (path.read_text(encoding="utf-8") for path in pages)
    hit_rate = load()[RUN]["metrics"]["overall"]["hit_rate@10"]
    assert f"| Greenlight | {hit_rate:g} | 0.1234 |" in readme
    assert "| 2030-01-02 |" in page and "**0.2** / 0.18 iALS" in readme
    written = load(tmp_path / RESULTS.name)
    assert written[RUN]["run_id"] == "20300102-030405" and NEW in written[PEERS]
    assert "config" not in written[RUN] and len(written[PEERS]) == len(load()[PEERS])
