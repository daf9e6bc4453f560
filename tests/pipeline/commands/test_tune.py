"""`greenlight tune` as its user runs it, and a run that reads what it found."""

import json
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import yaml

from components.model.config import tuned
from pipeline.config import load_config
from pipeline.metadata import Metadata
from schemas.source import load_source
from tests.browser import browser
from tests.pipeline import command

DRAWN = "document.documentElement.dataset.drawn > 0"
SETTINGS = [
    "training.epochs=2", "model.rating_heads=1", "model.dims=64", "model.hidden=16",
    "training.importance_rows=0", "training.refit=false", "gates.replicates=50",
    "tuning.space={model.dims: [8, 16], training.learning_rate: {low: 0.001, high: 0.02}}",
    "tuning.algorithm=bayesian", "tuning.trials=2", "tuning.parallel=2", "split.eval=0.2",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty users who rated thirty of eighty movies each, some movies better than others."""
    folder = tmp_path_factory.mktemp("tune")
    rng = np.random.default_rng(3)
    rows = ["userId,movieId,rating,timestamp"]
    for user in range(1, 61):
        for place, movie in enumerate(rng.permutation(80)[:30] + 1):
            rating = np.clip(round(2 * rng.normal(2.0 + movie / 40, 0.7)) / 2, 0.5, 5.0)
            rows.append(f"{user},{movie},{rating},{1000 * place + user}")
    movies = [f"{movie},Film {movie} ({1950 + movie % 50}),Drama" for movie in range(1, 81)]
    (folder / "data").mkdir()
    (folder / "data" / "ratings.csv").write_text("\n".join(rows) + "\n")
    (folder / "data" / "movies.csv").write_text("\n".join(["movieId,title,genres", *movies]) + "\n")
    return folder


def _options(folder, *settings):
    options = [part for setting in (*SETTINGS, *settings) for part in ("--set", setting)]
    return ["--data-dir", str(folder / "data"), "--output-dir", str(folder / "runs"), *options]


@pytest.fixture(scope="module")
def searched(folder):
    """The terminal and the trials of a search."""
    words = [sys.executable, "-m", "pipeline.cli", "tune", *_options(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    trials = json.loads((folder / "runs" / "tuning" / "trials.json").read_text())
    return done.stdout + done.stderr, trials


@pytest.fixture(scope="module")
def used(folder, searched):
    """The states of a run's nodes, and its blessing.json, after the search."""
    metadata = Metadata(str(folder / "runs" / "metadata.sqlite"))
    before = metadata.newest()
    status, terminal = command.greenlight("run", *_options(folder, "tuning.enabled=true"))
    assert status in (0, 3), terminal
    nodes = {node.node: node.state for node in metadata.nodes_since(before)}
    blessing = folder / "runs" / "reports" / "latest" / "blessing.json"
    return nodes, json.loads(blessing.read_text()), terminal


def test_the_terminal_shows_the_trials_and_the_best_settings(searched):
    terminal, trials = searched
    assert "[8/8] MovieTuner" in terminal
    assert "Trials, best first: 2 of 2" in terminal
    best = trials["trials"][trials["best"] - 1]
    for name, value in best["values"].items():
        assert f"--set {name}={value}" in terminal
    assert not [line for line in terminal.splitlines() if "Warning" in line or "INFO" in line]


def test_trials_are_scored_as_told(searched):
    _, trials = searched
    own = {"model.dims": 64, "training.learning_rate": 0.003}
    assert trials["own"] == own  # 64 is not in the space: the first trial has its first choice
    first = trials["trials"][0]["values"]
    assert first == {"model.dims": 8, "training.learning_rate": 0.003}
    for row in trials["trials"]:
        assert row["status"] == "COMPLETED" and row["epochs"] <= 2
        deviation = 0.5 * row["rmse"] / (0.5 * row["ndcg"] - row["score"])
        assert deviation == pytest.approx(0.9, abs=0.3)  # of all ratings: it is train's alone
        assert 0 < row["ndcg"] < 1


def test_the_best_settings_are_a_configuration_that_a_run_takes(folder, searched):
    _, trials = searched
    path = folder / "runs" / "tuning" / "best.yaml"
    content = yaml.safe_load(path.read_text())
    assert "tuning" not in content
    config, best = load_config(str(path), []), trials["trials"][trials["best"] - 1]["values"]
    assert config.model.dims == best["model.dims"] and config.model.hidden == 16
    assert config.training.learning_rate == best["training.learning_rate"]
    assert (config.split.eval_share, config.data_dir) == (0.2, str(folder / "data"))


def test_a_run_takes_the_search_from_the_cache_and_trains_with_the_best(searched, used):
    _, trials = searched
    nodes, blessing, terminal = used
    assert nodes["MovieTuner"] == nodes["Transform"] == "cached"
    assert nodes["MovieTrainer"] == "done"
    best = trials["trials"][trials["best"] - 1]
    assert blessing["training"]["tuned"] == tuned(best["values"])
    exported = blessing["training"]["exported"]
    assert exported["valid_rmse"] == pytest.approx(best["rmse"], abs=2e-3)
    assert "Trials, best first" in terminal


def test_the_pages_open_in_a_browser(folder, searched, used):
    best = searched[1]["trials"][searched[1]["best"] - 1]["values"]
    report = folder / "runs" / "reports" / "latest" / "index.html"
    with browser() as tab:
        tab.open((folder / "runs" / "tuning" / "index.html").as_uri(), DRAWN)
        assert "2 trials" in tab.js("document.querySelector('h1').innerText")
        tab.open(report.resolve().as_uri(), DRAWN)
        assert f"model.dims {best['model.dims']}" in tab.js("document.body.innerText")
        assert tab.complaints() == []


def _search(folder, spoilt, place):
    """One trial of the node on the search's artifacts, one split's files turned to garbage."""
    from tfx.types import standard_artifacts

    from components.tuner.component import MovieTuner, MovieTunerExecutor
    from components.tuner.settings import TunerSettings
    from pipeline.pipeline import trainer_settings

    (source,) = (folder / "runs" / "artifacts" / "RatingExampleGen" / "examples").iterdir()
    shutil.copytree(source, place / "examples")
    for path in (place / "examples" / f"Split-{spoilt}").iterdir():
        path.write_bytes(b"no record at all")
    parts = {"examples": place / "examples"}
    for key, node in (("catalogue", "RatingExampleGen"), ("transform_graph", "Transform")):
        (parts[key],) = (folder / "runs" / "artifacts" / node / key).iterdir()
    kinds = {"examples": standard_artifacts.Examples, "catalogue": standard_artifacts.Examples,
             "transform_graph": standard_artifacts.TransformGraph,
             "best_hyperparameters": standard_artifacts.HyperParameters,
             "tuner_results": standard_artifacts.TunerResults}  # fmt: skip
    artifacts: dict[str, Any] = {}
    for key, kind in kinds.items():
        artifacts[key] = kind()
        artifacts[key].uri = str(parts.get(key, place / key))
    artifacts["examples"].split_names = '["train", "valid", "eval"]'
    artifacts["catalogue"].split_names = '["catalogue"]'
    for key in ("best_hyperparameters", "tuner_results"):
        (place / key).mkdir()
    config = load_config(None, [*SETTINGS, "tuning.trials=1"])
    learning = trainer_settings(config, load_source(config.source), str(place / "checkpoints"))
    settings = TunerSettings(**dict(learning), tuning=config.tuning)
    channels: dict[str, Any] = {key: _channel(artifacts[key]) for key in parts}
    tuner = MovieTuner(**channels, settings=settings)
    inputs = {key: [artifacts[key]] for key in parts}
    outputs = {key: [artifacts[key]] for key in kinds if key not in parts}
    MovieTunerExecutor().Do(inputs, outputs, tuner.exec_properties)
    return json.loads((place / "tuner_results" / "trials.json").read_text())["trials"]


def _channel(artifact):
    from tfx import types

    return types.Channel(type=type(artifact)).set_artifacts([artifact])


def test_eval_is_never_read(folder, searched, tmp_path):
    (trial,), before = _search(folder, "eval", tmp_path), searched[1]["trials"][0]
    assert trial["values"] == before["values"]
    assert trial["score"] == pytest.approx(before["score"], abs=1e-3)


def test_valid_is_what_it_is_scored_by(folder, searched, tmp_path):
    from tensorflow.errors import DataLossError

    with pytest.raises(DataLossError):
        _search(folder, "valid", tmp_path)
