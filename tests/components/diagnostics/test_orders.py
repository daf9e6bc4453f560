"""What orders of lists trade, against the served graph and plain counting."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.diagnostics.orders import MIXES, K, chosen, orders, trade_off
from components.exported.module import ExportedRecommender

REACH, ROWS, MOVIES = 3, 30, 40


@pytest.fixture(scope="module")
def rows():
    """The fields of rows of three users, of whom the last has seen next to nothing."""
    rng = np.random.default_rng(3)
    found = []
    for row in range(ROWS):
        places = rng.permutation(MOVIES)[: 1 + (row % 3 < 2) * 5]
        target, *seen = (f"m{place}" for place in places)
        rated = [float(place % 5 + 1) for place in places[1:]]
        found.append({"user_id": f"u{row % 3}", "movie_id": target, "rating": 3.0,
                      "history_movie_id": seen, "history_rating": rated})  # fmt: skip
    return found


@pytest.fixture(scope="module")
def valid(rows, example, write_records, tmp_path_factory):
    path = tmp_path_factory.mktemp("orders") / "valid"
    return write_records(path, [example(**row) for row in rows])


@pytest.fixture(scope="module")
def facts(make_facts):
    return make_facts(movies=MOVIES, features=False)


@pytest.fixture(scope="module")
def model(make_model, facts):
    return make_model(True, facts)


def _served(module, rows, mix):
    """What the signature that serves lists gives each row: hits, and mean ratings."""
    hits, ratings = [], []
    for row in rows:
        wanted = {**row, "user_id": [row["user_id"]], "mix": [mix], "k": [K]}
        wanted |= {f"history_{name}": [row[f"history_{name}"]] for name in ("movie_id", "rating")}
        specs = module.functions["recommend_filtered"].input_signature
        empty = {"exclude_movie_id": [[]], "genres": [[]], "having": [[]], "year_from": [0],
                 "year_to": [0], "keep_seen": [False], "retrieve": [200]}  # fmt: skip
        asked = {s.name: tf.constant((empty | wanted)[s.name], s.dtype) for s in specs}
        answer = module.functions["recommend_filtered"](**asked)
        hits.append(row["movie_id"].encode() in answer["movie_id"].numpy()[0])
        ratings.append(np.nanmean(answer["rating"].numpy()))
    return float(np.mean(hits)), float(np.mean(ratings))


def test_lists_are_those_that_are_served(model, facts, make_lookup, rows, valid):
    lookup = make_lookup(facts)
    found = orders(model, [valid], lookup, ROWS, REACH, 0.05, seed=1)
    assert found is not None
    json.dumps(found, allow_nan=False)
    assert (found["rows"], found["users"], found["k"]) == (ROWS, 3, K)
    module = ExportedRecommender(model, lookup, REACH)
    for place in (0, 5, 10):
        order = found["orders"][place]
        served = _served(module, rows, MIXES[place])
        np.testing.assert_allclose([order["hit_rate"], order["rating"]], served, atol=1e-5)
    by_rating = [order["rating"] for order in found["orders"]]
    assert by_rating == sorted(by_rating) and by_rating[0] < by_rating[-1]


def test_rates_are_means_over_rows_with_intervals_over_users():
    rng = np.random.default_rng(4)
    users = np.repeat(np.arange(50), 4)
    hits = rng.random([200, len(MIXES)]) < np.linspace(0.5, 0.2, len(MIXES))
    ratings = rng.uniform(1, 5, hits.shape)
    curve = trade_off(users, hits.astype(float), ratings, seed=2)
    for place, order in enumerate(curve["orders"]):
        assert order["mix"] == MIXES[place]
        assert order["hit_rate"] == pytest.approx(hits[:, place].mean())
        assert order["rating"] == pytest.approx(ratings[:, place].mean())
        assert order["kept"] == pytest.approx(hits[:, place].sum() / hits[:, 0].sum())
        assert order["low"] < order["hit_rate"] < order["high"]
    first, *others = curve["orders"]
    assert first["surely_kept"] == first["kept"] == 1.0
    assert all(order["surely_kept"] < order["kept"] for order in others)


def test_a_few_rows_leave_the_order_that_the_gates_judge():
    """Of nine hits, four of them in either order, none is surely kept or lost."""
    users, ratings = np.arange(60), np.ones([60, len(MIXES)])
    hits = np.zeros([60, len(MIXES)])
    hits[:9, 0], hits[5:14, 1:] = 1.0, 1.0
    curve = trade_off(users, hits, ratings, seed=3)["orders"]
    assert curve[1]["kept"] == 1.0 and chosen(curve, 0.2) == 0.0


@pytest.mark.parametrize(
    ("kept", "loss", "mix"),
    [
        ([1.0, 0.99, 0.96, 0.90], 0.05, 0.2),
        ([1.0, 0.90, 0.99, 0.99], 0.05, 0.0),  # not beyond an order that loses too much
        ([1.0, 1.02, 1.00, 0.99], 0.0, 0.2),
        ([1.0, 0.5, 0.3, 0.1], 1.0, 0.3),
    ],
)
def test_as_much_rating_is_mixed_in_as_the_hits_that_may_be_lost_allow(kept, loss, mix):
    curve = [
        {"mix": m, "hit_rate": k / 4, "surely_kept": k} for m, k in zip(MIXES, kept, strict=False)
    ]
    assert chosen(curve, loss) == mix


def test_where_nothing_is_hit_nothing_is_traded():
    assert chosen([{"mix": mix, "hit_rate": 0.0, "kept": 1.0} for mix in MIXES], 0.5) == 0.0


@pytest.mark.parametrize("case", ["by choice", "no valid", "no ratings"])
def test_where_nothing_can_be_measured_there_is_none(
    model, facts, make_facts, make_model, make_lookup, valid, write_records, tmp_path, case
):
    asked, files = (0 if case == "by choice" else ROWS), valid
    if case == "no valid":
        files = write_records(tmp_path / "empty", [])
    if case == "no ratings":
        facts = make_facts(movies=MOVIES, features=False, rated="none")
        model = make_model(True, facts)
    assert orders(model, [files], make_lookup(facts), asked, REACH, 0.05, seed=1) is None
