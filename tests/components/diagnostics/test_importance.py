"""What groups of inputs are worth, on models of which it is known what they read."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.diagnostics import importance as module
from components.diagnostics.importance import (
    PLAIN,
    catalogue_of,
    importance,
    shuffled_scores,
)
from components.diagnostics.shuffles import MOVIE_ID
from components.example_gen.config import SplitConfig
from components.experiments.two_towers import TwoTowers
from components.model import randomness, scoring
from components.model.config import ModelConfig, TrainingConfig
from components.model.linear import LinearPath
from components.model.parsing import history, parse
from components.model.tables import MovieTables
from components.trainer.job import Job
from components.trainer.judge import Judge
from components.trainer.run import what_matters
from components.trainer.settings import SplitOutcome, TrainerSettings

REACH, ROWS = 3, 40
MEASURES = ("ndcg", "hit_rate@10", "rmse")


@pytest.fixture(scope="module")
def valid(example, write_records, tmp_path_factory):
    """Rows of four users; user u's target is always movie u, and no history holds it."""
    rng, rows = np.random.default_rng(2), []
    for row in range(ROWS):
        user = row // 10
        seen = 4 + rng.permutation(6)[: rng.integers(0, 7)]
        rows.append(
            example(
                user_id=f"u{user}", gender="FM"[user % 2],
                movie_id=f"m{user}", rating=float(1 + user),
                history_movie_id=[f"m{movie}" for movie in seen],
                history_rating=[float(movie) / 2 for movie in seen],
            )
        )  # fmt: skip
    return write_records(tmp_path_factory.mktemp("importance") / "valid", rows)


@pytest.fixture
def towers(make_facts, make_window):
    """Of the tutorials' form: each of the four users likes the movie of the same number alone."""
    randomness.seed(4)
    facts = make_facts()
    model = TwoTowers(ModelConfig(towers="ids", dims=4, rating_layers=[3]), facts, ordered=True)
    model.compute_loss(make_window(facts, [1, 1]))
    model.users.rows.assign(np.eye(5, 4))
    model.movies.rows.assign(np.eye(facts.id_table_rows, 4))
    return model


def _measured(*asked, **options):
    found = importance(*asked, **options)
    assert found is not None
    return found


def _by_group(found):
    return {row["group"]: row for row in found["groups"]}


def test_what_the_model_reads_is_worth_what_numpy_says_and_the_rest_nothing(
    towers, make_lookup, valid
):
    found = _measured(towers, [valid], make_lookup(towers.facts), ROWS, REACH, seed=1)
    assert (found["rows"], found["users"]) == (ROWS, 4)
    assert found["base"]["ndcg"] == found["base"]["hit_rate@10"] == 1.0
    groups = _by_group(found)
    assert list(groups) == [
        "history", "history ratings", "history order", "user id", "gender", "age",
        "movie id", "genres", "year", "popularity", "raters",
    ]  # fmt: skip
    # Shown as another user: one movie is before the true one, and those not seen are level with it.
    seen = _seen(valid)
    gains = [1 / np.log2(1 + 2 + (10 - own) / 2) for own in seen]
    assert groups["user id"]["ndcg"]["value"] == pytest.approx(1 - np.mean(gains))
    assert groups["user id"]["ndcg"]["low"] > 0.3
    assert groups["movie id"]["ndcg"]["low"] > 0.3
    for name in set(groups) - {"user id", "movie id"}:
        assert all(groups[name][m] == {"value": 0.0, "low": 0.0, "high": 0.0} for m in MEASURES)


def _seen(file):
    """How many movies each row's history holds."""
    rows = tf.data.TFRecordDataset([file], "GZIP")
    parsed = [tf.train.Example.FromString(row.numpy()).features.feature for row in rows]
    return [len(row["history_movie_id"].bytes_list.value) for row in parsed]


@pytest.mark.parametrize("ordered", [True, False])
def test_unshuffled_it_measures_what_the_judge_does(make_model, make_lookup, valid, ordered):
    model = make_model(ordered)
    _add_path(model)
    lookup = make_lookup(model.facts)
    found = _measured(model, [valid], lookup, ROWS, REACH, seed=1)
    judged = Judge([valid], lookup, ROWS, REACH)(model)
    assert found["base"]["ndcg"] == pytest.approx(1 - judged["valid_retrieval"], rel=1e-5)
    assert found["base"]["hit_rate@10"] == pytest.approx(judged["valid_hit_rate@10"])
    assert found["base"]["rmse"] == pytest.approx(judged["valid_rmse"], rel=1e-5)
    assert ("history order" in _by_group(found)) == ordered
    for name in ("movie id", "history", "history ratings"):
        assert _by_group(found)[name]["rmse"]["value"] != 0, name
    assert _by_group(found)["raters"]["ndcg"]["value"] == 0
    assert _by_group(found)["popularity"]["rmse"]["value"] == 0


@pytest.mark.parametrize("rated", ["some", "none"])
def test_ratings_count_where_there_are_any(
    make_model, make_facts, make_lookup, example, write_records, tmp_path, rated
):
    model = make_model(True, make_facts(rated=rated))
    rows = [
        example(
            user_id=f"u{row % 4}", gender="F", movie_id="m5",
            history_movie_id=["m1", "m2"],
            **({"rating": [2.0, np.nan][row % 2], "history_rating": [4.0, np.nan]}
               if rated == "some" else {}),
        )
        for row in range(ROWS)
    ]  # fmt: skip
    file, lookup = write_records(tmp_path / "valid", rows), make_lookup(model.facts)
    found = _measured(model, [file], lookup, ROWS, REACH, seed=1)
    judged = Judge([file], lookup, ROWS, REACH)(model)
    json.dumps(found, allow_nan=False)
    assert found["base"]["ndcg"] == pytest.approx(1 - judged["valid_retrieval"], rel=1e-5)
    groups = set(_by_group(found))
    if rated == "none":
        assert list(found["base"]) == ["ndcg", "hit_rate@10"]
        assert not {"history ratings", "raters"} & groups
        assert not {"valid_rmse", "valid_rating"} & set(judged)
        assert judged["valid_loss"] > 0
        return
    assert found["base"]["rmse"] == pytest.approx(judged["valid_rmse"], rel=1e-5)
    window = history(parse(lookup, tf.constant(rows[::2])))  # the rated ones
    target = tf.fill([ROWS // 2, 1], 5)
    predicted = scoring.rate(model, model.movie_tables(), window, target, REACH).numpy()
    assert judged["valid_rmse"] == pytest.approx(np.sqrt(np.mean((predicted - 2.0) ** 2)), rel=1e-5)
    assert {"history ratings", "raters"} <= groups


def _add_path(model):
    rng, covered = np.random.default_rng(3), np.array([0, 2, 3, 5, 7])
    model.linear = LinearPath(12, covered, rng.normal(size=[5, 5]).astype(np.float32))
    model.linear.set(2.0, 3.0)


def test_a_movie_that_knows_nothing_but_its_id_becomes_the_one_it_is_taken_for(
    make_facts, make_model, make_window
):
    model = make_model(True, make_facts(features=False))
    _add_path(model)
    window = make_window(model.facts, [5, 3, 0], front=True)
    taken = np.random.default_rng(7).permutation(12).astype(np.int32)
    popularity = model.facts.log_popularity

    def scores(group, window, taken):
        tables, known_as = catalogue_of(model, group, taken)
        return shuffled_scores(model, MovieTables.of(tables), known_as, window, REACH).numpy()

    found = scores(MOVIE_ID, window, taken)
    as_other = window._replace(movie=tf.gather(taken, window.movie))
    expected = scores(PLAIN, as_other, np.arange(12))
    known = [0, 1]
    np.testing.assert_allclose(
        found[known] - popularity, (expected - popularity)[known][:, taken], rtol=1e-4, atol=1e-4
    )
    plainly = scoring.score(model, model.movie_tables(), window, REACH).model
    np.testing.assert_array_equal(scores(PLAIN, window, np.arange(12)), plainly)


def test_the_graph_is_traced_once(make_model, make_lookup, valid, monkeypatch):
    model, traced = make_model(True), []
    plain = scoring.tower_scores

    def counted(*inputs):
        traced.append(inputs)
        return plain(*inputs)

    monkeypatch.setattr(scoring, "tower_scores", counted)
    monkeypatch.setattr(module, "BATCH", 7)
    found = _measured(model, [valid], make_lookup(model.facts), ROWS, REACH, seed=1)
    assert found["rows"] == ROWS and len(traced) == 1


def test_the_seed_decides(make_model, make_lookup, valid):
    model = make_model(True)
    lookup = make_lookup(model.facts)
    first, again, other = (
        _measured(model, [valid], lookup, 30, REACH, seed)["groups"] for seed in (1, 1, 2)
    )
    assert first == again != other


def _job(valid, rows):
    settings = TrainerSettings(
        training=TrainingConfig(importance_rows=rows), split=SplitConfig(window_length=REACH),
        scale=(0.5, 5.0), checkpoints="",
    )  # fmt: skip
    outcome = SplitOutcome("before", None)
    return Job(settings, outcome, train=[], valid=[valid], catalogue=[], transform_graph="")


def test_the_trainer_measures_it_on_valid_alone(towers, make_lookup, valid):
    lookup = make_lookup(towers.facts)
    found = what_matters(_job(valid, ROWS), lookup, towers)
    again = _measured(towers, [valid], lookup, ROWS, REACH, TrainingConfig().seed)
    assert found is not None
    assert found.pop("seconds") > 0 and found == {k: v for k, v in again.items() if k != "seconds"}
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("case", ["by choice", "no valid", "one user", "no numbers"])
def test_where_nothing_can_be_measured_there_is_none(
    towers, make_lookup, valid, example, write_records, tmp_path, case
):
    rows, files = (0 if case == "by choice" else ROWS), valid
    if case == "one user":
        alone = example(user_id="u0", movie_id="m0", rating=3.0)
        files = write_records(tmp_path / "alone", [alone] * 3)
    if case == "no valid":
        files = write_records(tmp_path / "empty", [])
    if case == "no numbers":
        towers.users.rows.assign(np.full([5, 4], np.nan))
    assert what_matters(_job(files, rows), make_lookup(towers.facts), towers) is None
