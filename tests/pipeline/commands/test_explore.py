"""`greenlight explore` as its user runs it: one real run, its page, and what a later run finds."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from pipeline import explore
from pipeline.config import load_config
from pipeline.local import execute
from pipeline.metadata import Metadata, NodeRun
from pipeline.output import Folders
from tests.browser import browser
from tests.looks import DRAWN
from tests.pipeline import command


@dataclass
class Explored:
    """How the command ended, what it said, and what its nodes did."""

    status: int
    out: str
    err: str
    nodes: dict[str, NodeRun]


def greenlight(output: Path, *arguments: str) -> Explored:
    store = output / "metadata.sqlite"
    before = Metadata(str(store)).newest() if store.exists() else 0
    words = ("explore", "--output-dir", str(output), *arguments)
    status, out, err = command.greenlight_piped(*words)
    runs = Metadata(str(store)).nodes_since(before) if store.exists() else []
    return Explored(status, out, err, {run.node: run for run in runs})


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "default"


@pytest.fixture(scope="module")
def first(output):
    """The embedded data, with one movie asked for by a name that people use."""
    return greenlight(output, "--movie", "matrix")


def test_it_runs_the_first_nodes_only(first):
    assert first.status == 0, first.err
    assert {name: run.state for name, run in first.nodes.items()} == dict.fromkeys(
        explore.NODES, "done"
    )


def test_what_is_printed_is_what_the_page_says(output, first):
    *sentences, last = first.out.splitlines()
    page = output / "explore" / "index.html"
    assert last == f"The data: {page}"
    assert "- 91% of eval rows are of users that training never saw" in first.out
    with browser() as tab:
        tab.open(page.as_uri(), DRAWN)
        assert tab.complaints() == []
        words = tab.js("[...document.querySelectorAll('.words li')].map(l => l.textContent)")
        assert [f"- {line.rsplit(' (', 1)[0]}" for line in words] == sentences
        assert tab.js("document.querySelector('h2#movie').textContent") == "Matrix, The (1999)"
        assert "100,836 ratings" in tab.js("document.querySelector('h1').textContent")
        features = tab.js("document.querySelector('[aria-label=Features]').innerText")
        assert "movie_title" in features and "catalogue" in features
    assert list(page.parent.iterdir()) == [page]


def test_terminal_shows_progress_and_one_table_and_no_noise(first):
    for number, node in enumerate(("CuratedSchema", "RatingExampleGen"), 1):
        assert f"[{number}/4] {node}" in first.err
    (table,) = first.err.split("Splits")[1:]
    assert all(number in table for number in ("80,669", "10,084", "10,083"))
    assert "Warning" not in first.err and "absl" not in first.err


def test_again_it_comes_from_the_cache_and_a_wrong_title_leaves_the_page(output, first):
    metadata = Metadata(str(output / "metadata.sqlite"))
    before = metadata.newest()
    nothing = ("--movie", "no such film at all")
    status, said = command.greenlight("explore", "--output-dir", str(output), *nothing)
    assert {run.state for run in metadata.nodes_since(before)} == {"cached"}
    assert status == 2 and "The data:" not in said and "\n- " not in said
    (line,) = [line for line in said.splitlines() if line.startswith("greenlight:")]
    assert "There is no movie 'no such film at all'" in line
    assert "Matrix, The (1999)" in (output / "explore" / "index.html").read_text()


def test_a_run_with_the_same_settings_finds_the_nodes_in_its_cache(output, first):
    """Only as far as the same nodes, by the runner that `run` uses."""
    metadata = Metadata(str(output / "metadata.sqlite"))
    before = metadata.newest()
    config = load_config(None, [], output_dir=str(output))
    execute(config, Console(quiet=True), Folders(output), "run", ["DataValidator"])
    states = {run.node: run.state for run in metadata.nodes_since(before)}
    assert {name: states[name] for name in explore.NODES} == dict.fromkeys(explore.NODES, "cached")
    # Data that was only explored is not what a run is held against: there is no last run yet.
    assert states["LastStatistics"] == "failed" and states["DataValidator"] == "done"
