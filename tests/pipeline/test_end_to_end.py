"""The pipeline as its user runs it: real data, real TFX, a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import tensorflow as tf

from pipeline.metadata import Metadata, NodeRun
from tests.browser import browser
from tests.pipeline import command

SHORT = (
    "training.epochs=3", "training.valid_rows=2000", "training.importance_rows=500",
    "training.order_rows=500", "gates.replicates=200", "gates.list_users=200",
    "report.peers.rows=500", "report.peers.movies=1000",
)  # fmt: skip
DRAWN = "document.documentElement.dataset.drawn > 0"


@dataclass
class Run:
    """One `greenlight run`: how it ended, what it said, and what its nodes did."""

    status: int
    terminal: str
    blessing: dict[str, Any]
    nodes: list[NodeRun]
    versions: list[str]

    def states(self) -> dict[str, str]:
        return {node.node: node.state for node in self.nodes}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "default"


@pytest.fixture(scope="module")
def first(output: Path) -> Run:
    """The embedded data set, in a process of its own."""
    options = [part for setting in SHORT for part in ("--set", setting)]
    words = [sys.executable, "-m", "pipeline.cli", "run", "--output-dir", str(output), *options]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    report = output / "reports" / "latest" / "blessing.json"
    assert report.exists(), done.stdout + done.stderr
    return Run(
        status=done.returncode,
        terminal=done.stdout + done.stderr,
        blessing=json.loads(report.read_text(encoding="utf-8")),
        nodes=Metadata(str(output / "metadata.sqlite")).nodes_since(0),
        versions=sorted(path.name for path in (output / "serving_model").glob("*")),
    )


def test_first_run_executes_every_node_and_is_blessed(first: Run) -> None:
    assert first.status == 0, first.terminal
    assert first.blessing["blessed"]
    states = first.states()
    assert states.pop("LastStatistics") == "failed"  # there is no last run to look up
    assert set(states.values()) == {"done"}
    assert len(states) == 11
    assert len(first.versions) == 1


def test_terminal_shows_progress_and_tables_only(first: Run) -> None:
    assert "[4/12] RatingExampleGen" in first.terminal
    assert "[9/12] MovieTrainer" in first.terminal
    assert "Blessed and pushed" in first.terminal
    lines = first.terminal.strip().splitlines()
    assert len(lines) < 60
    assert not [
        line for line in lines if "Warning" in line or "INFO" in line or "tensorflow" in line
    ]


def test_blessing_follows_its_schema_and_counts_every_row(first: Run) -> None:
    schema = Path("schemas/blessing.schema.json").read_text(encoding="utf-8")
    jsonschema.validate(first.blessing, json.loads(schema))
    rows, split = first.blessing["rows"], first.blessing["split"]
    assert rows["read"] == rows["kept"] == 100_836
    assert sum(split[name]["ratings"] for name in ("train", "valid", "eval")) == 100_836
    assert first.blessing["seconds"]["MovieTrainer"] > 1
    assert first.blessing["training"]["best_epoch"] >= 1
    orders, peers = first.blessing["orders"], first.blessing["peers"]
    assert (orders["rows"], peers["rows"]) == (500, 500) and orders["users"] > 10
    assert {"candidate", "popularity", "ItemKNN", "EASE"} <= {m["model"] for m in peers["models"]}
    assert peers["mix"] == orders["mix"] and peers["times"] and first.blessing["exposure"]
    names = [gate["name"] for gate in first.blessing["gates"]]
    assert "the export is the trained model" in names
    assert {"history=1-5", "popularity=01", "genre=Drama", "movie=cold", "decade=1990s"} <= set(
        first.blessing["slices"]
    )


def test_the_published_page_opens_in_a_browser_and_is_true(first: Run, output: Path) -> None:
    with browser() as tab:
        tab.look(390)
        tab.open((output / "reports" / first.blessing["run_id"] / "index.html").as_uri(), DRAWN)
        assert tab.complaints() == [] and len(tab.requests()) == 1
        rows = tab.js("document.querySelectorAll('table.gates tbody tr').length")
        assert rows == len(first.blessing["gates"])
        assert tab.js("document.querySelectorAll('.chart svg').length") >= 12
        assert tab.js("document.documentElement.scrollHeight <= 10 * innerHeight")
        tab.js("document.querySelector('nav [href=\"#people\"]').click()")
        tab.wait_for("document.querySelector('.person').innerText.includes('Recommended')")
        people = tab.js("document.querySelector('.person').innerText")
        assert "Recommended" in people and "(1994)" in people
        assert "MovieTrainer" in tab.js("document.querySelector('main').textContent")
        worth = tab.js("document.querySelector('#importance-lists').getAttribute('aria-label')")
        assert "NDCG lower by history 0." in worth  # what it reads first of all matters most


def test_a_report_is_rebuilt_from_stored_artifacts_alone(first: Run, output: Path) -> None:
    place = output / "reports" / first.blessing["run_id"]
    before = {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()}
    (place / "index.html").unlink()
    said = command.greenlight("report", place.name, "--output-dir", str(output))
    assert said == (0, f"{place / 'index.html'}\n")
    for name in ("blessing.json", "report.md"):
        assert (place / name).read_text(encoding="utf-8") == before[name]
    assert len((place / "index.html").read_text(encoding="utf-8")) == len(before["index.html"])


def test_reported_metrics_are_those_of_the_pushed_model(output: Path, first: Run) -> None:
    """An independent computation from the pushed model's own answers, to 1e-6."""
    model = tf.saved_model.load(str(output / "serving_model" / first.versions[0]))
    assert float(model.mix) == pytest.approx(first.blessing["orders"]["mix"])
    files = sorted(
        str(path) for path in output.glob("artifacts/RatingExampleGen/examples/*/*eval/*")
    )
    rank, hidden_rank, error = [], [], []
    for batch in tf.data.TFRecordDataset(files, compression_type="GZIP").batch(512):
        found = model.signatures["evaluate"](examples=batch)
        rank += found["rank"].numpy().tolist()
        hidden_rank += found["unmasked_rank"].numpy().tolist()
        error += (found["rating"] - found["label"]).numpy().tolist()
    metrics = first.blessing["metrics"]["overall"]
    assert len(rank) == first.blessing["split"]["eval"]["ratings"]
    expected = {
        "hit_rate@10": np.mean([r <= 10 for r in rank]),
        "ndcg@10": np.mean([1 / np.log2(1 + r) if r <= 10 else 0 for r in rank]),
        "mrr": np.mean([1 / r for r in rank]),
        "unmasked/hit_rate@100": np.mean([r <= 100 for r in hidden_rank]),
        "rmse": np.sqrt(np.mean(np.square(error))),
        "mae": np.mean(np.abs(error)),
    }
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, abs=1e-6), name


def test_pushed_model_recommends_unseen_movies(output: Path, first: Run) -> None:
    model = tf.saved_model.load(str(output / "serving_model" / first.versions[0]))
    liked = [b"1", b"3114", b"78499"]
    found = model.signatures["recommend"](
        user_id=tf.constant([b"nobody"]),
        history_movie_id=tf.constant([liked]),
        history_rating=tf.constant([[5.0, 4.5, 5.0]]),
        k=tf.constant(10),
    )
    movies = found["movie_id"].numpy()[0].tolist()
    assert len(set(movies)) == 10
    assert not set(movies) & set(liked)
    assert np.all((found["rating"].numpy() >= 0.5) & (found["rating"].numpy() <= 5.0))
    assert np.all(np.diff(found["score"].numpy()[0]) <= 0)
