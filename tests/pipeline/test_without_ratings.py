"""Views, purchases, likes and half-rated lists, from their files to a served model."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

import greenlight
from pipeline.config import load_config
from schemas.errors import UserError
from tests.pipeline import command

USERS, MOVIES, EVENTS = 90, 60, 16
SMALL = (
    "model.dims=16", "model.hidden=16", "model.rating_heads=2", "training.epochs=6",
    "training.positions=256", "training.importance_rows=0", "training.refit=false",
    "gates.replicates=50",
    "gates.list_users=40", "gates.slices=[]", "gates.bounds.coverage=0.01",
)  # fmt: skip
COLUMNS = "{user_id: user, movie_id: movie, rating: value, timestamp: time}"
THUMBS = "{up: 1, down: 0}"
SOURCES = {
    "thumbs": f"ratings: {{files: data.csv, columns: {COLUMNS}, unrated: ['-'], "
    f"values: {{rating: {THUMBS}}}}}\nitem: song",
}  # fmt: skip
ALIKE = "all ratings of train are 1: there is nothing to predict"
WHY = {
    "orders": "no event of train is rated: there is nothing to predict",
    "views": ALIKE,
    "views as meant": ALIKE,
}


def _value(kind: str, liked: bool, rng: np.random.Generator) -> str:
    if kind == "orders":
        return "1"
    return "-" if rng.random() < 0.4 else ("up" if liked else "down")


def write(folder: Path, kind: str) -> None:
    """Users are of two kinds, and nearly all that they watch is of their own."""
    rng = np.random.default_rng(7)
    rows = ["user,movie,value,time"]
    for user in range(USERS):
        liked = np.arange(user % 2, MOVIES, 2)
        seen = rng.choice(liked, EVENTS - 3, replace=False)
        odd = rng.choice(np.arange(1 - user % 2, MOVIES, 2), 3, replace=False)
        for movie in rng.permutation([*seen, *odd]):
            value = _value(kind, movie % 2 == user % 2, rng)
            rows.append(f"u{user},m{movie},{value},{1_000_000_000 + rng.integers(10**8)}")
    (folder / "data.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    if kind in SOURCES:
        (folder / "source.yaml").write_text(SOURCES[kind], encoding="utf-8")


def rate_all_alike(folder: Path) -> None:
    """Makes views of thumbs: whatever was seen has the same rating."""
    data = folder / "data.csv"
    text = data.read_text(encoding="utf-8")
    data.write_text(text.replace(",down,", ",up,").replace(",-,", ",up,"), encoding="utf-8")


@dataclass
class Run:
    """What a run concluded, where it wrote, and a copy of what was in service after it.

    fitted: what a notebook has of it.
    """

    kind: str
    folder: Path
    blessing: dict[str, Any]
    page: str
    served: Path
    fitted: greenlight.Fitted | None = None


def fitted(folder: Path) -> Run:
    """The orders as a notebook holds them, by `greenlight.fit`."""
    orders = pd.read_csv(folder / "data.csv")[["user", "movie"]]
    settings = {key: yaml.safe_load(value) for key, value in (one.split("=") for one in SMALL)}
    model = greenlight.fit(orders, folder=folder / "out", settings=settings)
    report = model.report
    served = folder / "served" / "orders"
    shutil.copytree(folder / "out" / "serving_model", served)
    return Run("orders", folder, report.blessing, report.page.read_text("utf-8"), served, model)


def run_pipeline(folder: Path, kind: str, *settings: str) -> Run:
    config = load_config(
        None,
        [*SMALL, *settings],
        source=str(folder / "source.yaml"),
        data_dir=str(folder),
        output_dir=str(folder / "out"),
    )
    outcome = command.run(config)
    page = outcome.report / "index.html" if outcome.report.is_dir() else outcome.report
    served = folder / "served" / kind
    shutil.copytree(folder / "out" / "serving_model", served)
    return Run(kind, folder, outcome.blessing, page.read_text(encoding="utf-8"), served)


@pytest.fixture(scope="module")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """The run of a kind of data, made when it is first asked for.

    The views come where the thumbs were, and are sent once more by somebody who means it.
    """

    @cache
    def make(kind: str) -> Run:
        if kind == "views":
            folder = make("thumbs").folder
            rate_all_alike(folder)
            return run_pipeline(folder, kind)
        if kind == "views as meant":
            return run_pipeline(make("views").folder, kind, "gates.rating=false")
        folder = tmp_path_factory.mktemp(kind)
        write(folder, kind)
        return fitted(folder) if kind == "orders" else run_pipeline(folder, kind)

    return make


@pytest.mark.parametrize("kind", ["thumbs", "orders", "views"])
def test_it_comes_to_a_verdict_on_what_there_is(kind: str, run_of: Callable[[str], Run]) -> None:
    run = run_of(kind)
    blessing = run.blessing
    assert blessing["blessed"] == (kind != "views"), blessing["reasons"]
    gates = {(gate["kind"], gate["metric"]): gate for gate in blessing["gates"]}
    assert gates["baseline", "hit_rate@10"]["judged"]
    rated = run.kind not in WHY
    assert gates["baseline", "rmse"]["judged"] == rated
    metrics = blessing["metrics"]["overall"]
    assert ("rmse" in metrics) == rated and metrics["hit_rate@10"] > 0
    if not rated:
        why = WHY[run.kind]
        assert blessing["training"]["off"] == {"rating": why}
        assert gates["baseline", "rmse"]["reason"].endswith(f"not judged, as {why}")
        assert f"as {why}" in blessing["notes"][0] and why in run.page
        assert not [name for name in blessing["training"]["exported"] if "rmse" in name]
    sizes = blessing["slices"]["overall"]
    if run.kind == "thumbs":
        assert 0.4 < sizes["rated"] / sizes["ratings"] < 0.8
    else:
        assert sizes.get("rated", sizes["ratings"]) == (sizes["ratings"] if rated else 0)
    json.dumps(blessing, allow_nan=False)
    called = "movies" if run.kind == "orders" else "songs"
    assert f"{called} known" in run.page
    lists = [one["sentence"] for one in blessing["summary"] if one["about"] == "lists"]
    assert all(called in sentence for sentence in lists)


@pytest.mark.parametrize("kind", ["thumbs", "orders", "views as meant"])
def test_the_model_serves_what_it_learned(
    kind: str, run_of: Callable[[str], Run], tmp_path: Path
) -> None:
    from serving.batch import write_batch
    from serving.model import NO_RATINGS
    from serving.requests import ExplainRequest, RateRequest, RecommendRequest
    from serving.versions import choose, warm_up

    run = run_of(kind)
    answers = choose(run.served)
    warm_up(answers)
    assert (answers.model.scale is None) == (run.kind in WHY)
    assert answers.model.item.one == ("movie" if kind == "orders" else "song")
    stored = answers.history("u4")
    assert len(stored) == EVENTS
    unrated = [event["rating"] for event in stored].count(None)
    assert unrated == EVENTS if run.kind in WHY else 0 < unrated < EVENTS
    seen = {event["movie_id"] for event in stored}
    found = answers.recommend(RecommendRequest(user="u4"))["movies"]
    assert len(found) == 10 and not seen & {movie["movie_id"] for movie in found}
    evens = [int(movie["movie_id"][1:]) % 2 == 0 for movie in found]
    assert sum(evens) >= 8  # of the user's own kind
    rated = [movie["rating"] for movie in found]
    assert (None in rated) == (run.kind in WHY)
    assert answers.explain(ExplainRequest(user="u4", movie=found[0]["movie_id"]))["history"]
    rows = write_batch(answers.model, answers.model.users, 3, tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    assert rows == len(table) == 3 * USERS
    assert table["rating"].null_count == (rows if run.kind in WHY else 0)
    asked = RateRequest(user="u4", movies=["m1", "m2"])
    if run.kind in WHY:
        with pytest.raises(UserError) as caught:
            answers.rate(asked)
        assert str(caught.value) == NO_RATINGS
    else:
        assert answers.model.scale is not None
        low, high = answers.model.scale
        rated = [movie["rating"] for movie in answers.rate(asked)["movies"]]
        assert all(low <= rating <= high for rating in rated) and rated[0] != rated[1]


def test_a_notebook_has_the_report_and_the_model_of_its_tables(
    run_of: Callable[[str], Run],
) -> None:
    orders = run_of("orders")
    model = orders.fitted
    assert model is not None
    verdict, *sentences = str(model.report).splitlines()
    assert verdict.startswith("Blessed and pushed: ") and "were in their top 10" in sentences[0]
    assert "<iframe" in model.report._repr_html_() and "NaN" not in str(model.report)
    found = model.recommend("u4", k=5)
    assert len(found) == 5 and {*found["movie_id"]} <= {f"m{movie}" for movie in range(MOVIES)}
    again = greenlight.open(orders.folder / "out")
    assert again.version == model.version == orders.blessing["pushed_version"]
    assert again.recommend("u4", k=5).equals(found)


def test_a_model_without_ratings_replaces_one_with_ratings_only_where_that_is_meant(
    run_of: Callable[[str], Run],
) -> None:
    """One delivery in which all ratings are alike must not take them out of service."""
    before, kept, meant = map(run_of, ("thumbs", "views", "views as meant"))
    assert before.blessing["blessed"]
    assert not kept.blessing["blessed"]
    (reason,) = kept.blessing["reasons"]
    assert reason.startswith(
        "the blessed model predicts ratings and this one cannot, as all ratings"
    )
    assert meant.blessing["blessed"], meant.blessing["reasons"]
