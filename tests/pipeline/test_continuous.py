"""Three spans in a row, through the whole pipeline: growing vocabularies, warm starts, gates."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import numpy as np
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.model.weights import LearnedWeights, read_learned
from pipeline.config import load_config
from pipeline.local import run_local
from schemas.errors import UserError

SOURCE = """
scale: [1, 5]
ratings:
  files: 'ratings-{SPAN}.csv'
  columns: {user_id: user, movie_id: movie, rating: rating, timestamp: time}
movies: {files: 'movies-{SPAN}.csv', columns: {movie_id: movie, movie_title: title}}
"""
SMALL = (
    "spans.window=3", "model.dims=16", "model.hidden=16", "model.rating_heads=2",
    "training.epochs=8", "training.positions=512", "gates.replicates=100",
)  # fmt: skip


@dataclass
class Run:
    """One run: what it concluded, the models that its nodes had before them, what it learned."""

    blessing: dict[str, Any]
    base: str | None
    baseline: str | None
    model: str
    learned: LearnedWeights


def deliver(folder: Path, span: int) -> None:
    """Writes one span: more users and movies than the one before; tastes are of two kinds."""
    rng = np.random.default_rng(span)
    users, movies = 60 + 30 * span, 60 + 40 * span
    rows = ["user,movie,rating,time"]
    for user in range(users):
        liked = np.arange(user % 2, movies, 2)
        weights = 1.0 / np.arange(5, len(liked) + 5)
        seen = rng.choice(liked, 14, replace=False, p=weights / weights.sum())
        odd = rng.choice(np.arange(1 - user % 2, movies, 2), 4, replace=False)
        for movie in rng.permutation([*seen, *odd]):
            rating = rng.integers(4, 6) if movie % 2 == user % 2 else rng.integers(1, 3)
            rows.append(f"u{user},m{movie},{rating},{1_000_000 * span + rng.integers(900_000)}")
    titles = [f"m{movie},Film {movie}" for movie in range(movies)]
    (folder / f"ratings-{span}.csv").write_text("\n".join(rows) + "\n")
    (folder / f"movies-{span}.csv").write_text("\n".join(["movie,title", *titles]) + "\n")


def greenlight(folder: Path, *settings: str) -> Run:
    """Runs the pipeline in this process: loading TFX takes longer than all of its nodes."""
    config = load_config(
        None,
        [*SMALL, *settings],
        source=str(folder / "source.yaml"),
        data_dir=str(folder),
        output_dir=str(folder / "out"),
    )
    outcome = run_local(config)
    store = metadata_store(folder / "out/metadata.sqlite")
    model = newest(store, "MovieTrainer", "model")
    assert model is not None
    return Run(
        outcome.blessing,
        newest(store, "MovieTrainer", "base_model"),
        newest(store, "Evaluator", "baseline_model"),
        model,
        read_learned(f"{model}/Format-Serving"),
    )


def metadata_store(path: Path) -> mlmd.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    return mlmd.MetadataStore(config)


def newest(store: mlmd.MetadataStore, node: str, key: str) -> str | None:
    """Where the artifact lies that the newest execution of a node read or wrote as `key`."""
    (context,) = (c for c in store.get_contexts_by_type("node") if c.name.endswith(f".{node}"))
    execution = max(e.id for e in store.get_executions_by_context(context.id))
    events = store.get_events_by_execution_ids([execution])
    ids = [event.artifact_id for event in events if event.path.steps[0].key == key]
    return next((artifact.uri for artifact in store.get_artifacts_by_id(ids)), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("continuous")
    (made / "source.yaml").write_text(SOURCE)
    return made


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Run]:
    """Three warm runs, one more span each; then the third one's data again, from nothing."""
    found = []
    for span in (1, 2, 3):
        deliver(folder, span)
        found.append(greenlight(folder, "training.warm_start=true"))
    return [*found, greenlight(folder)]


def test_every_span_is_blessed_and_judged_against_the_one_before(runs: list[Run]) -> None:
    first, second, third, cold = runs
    for run in (first, second, third):
        assert run.blessing["blessed"], run.blessing["reasons"]
    assert (first.base, first.baseline) == (None, None)
    assert (second.base, second.baseline) == (first.model, first.model)
    assert (third.base, third.baseline) == (second.model, second.model)
    assert (cold.base, cold.baseline) == (None, third.model)
    for run in (second, third):
        compared = [gate for gate in run.blessing["gates"] if gate["kind"] == "blessed"]
        assert {gate["metric"] for gate in compared} == {"hit_rate@10", "rmse"}


def test_vocabularies_grow_and_rows_follow_them(runs: list[Run]) -> None:
    for before, now in pairwise(runs[:3]):
        for name in ("user_id", "movie_id"):
            assert len(now.learned.keys[name]) > len(before.learned.keys[name])
        told = now.blessing["training"]["start"]
        assert told in now.blessing["notes"]
        kept = set(now.learned.keys["movie_id"]) & set(before.learned.keys["movie_id"])
        assert f"{len(kept)} of {len(now.learned.keys['movie_id'])} movies known" in told
        assert before.learned.trained_until <= now.learned.trained_until
    assert runs[0].blessing["training"]["start"].endswith("there is no blessed model yet.")
    assert runs[3].blessing["training"]["start"] == ""


def test_a_warm_start_is_ahead_of_a_cold_one_on_the_same_data(runs: list[Run]) -> None:
    warm, cold = (run.blessing["training"]["epochs"] for run in runs[2:])
    assert warm[0]["valid_loss"] < cold[0]["valid_loss"]
    assert min(epoch["valid_loss"] for epoch in warm) < min(epoch["valid_loss"] for epoch in cold)
    gates = runs[3].blessing["gates"]
    (change,) = (g["value"] for g in gates if g["kind"] == "blessed" and g["metric"] == "rmse")
    assert change > 0  # the gates see it too: the cold model against the warm one


def test_only_time_tells_what_was_held_out() -> None:
    with pytest.raises(UserError, match=r"training\.warm_start needs split\.kind=temporal"):
        load_config(None, ["training.warm_start=true", "split.kind=random"])
