"""Ranks and hit rates of peers beside a stub of the model, against plain counting."""

import json

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
import tensorflow as tf

from components.evaluation.gates import GatesConfig
from components.examples.catalogue import Catalogue
from components.exported.module import ExportedRecommender, save
from components.peers.asked import MODEL, POPULARITY, Asked, ask, shown
from components.peers.config import PeersConfig
from components.peers.learned import DAY, Learned
from components.peers.measure import compared, measure, over_time
from components.peers.ranks import peers, ranks

GATES = GatesConfig(k=2, ks=[2], replicates=60)
MOVIES = 6


@pytest.fixture(scope="module")
def movies():
    ids = pa.array([f"m{place}".encode() for place in range(MOVIES)], pa.large_binary())
    return Catalogue(ids, ids, {})


def _asked(targets, seen, **changed):
    rows = len(targets)
    matrix = np.zeros([rows, MOVIES], np.float32)
    for row, own in enumerate(seen):
        matrix[row, own] = 1
    known = sp.csr_matrix(matrix)
    told = {"time": None, "user": np.arange(rows), "history": known, "ranks": {}} | changed
    return Asked(np.array(targets), seen=known, **told)


def test_ranks_leave_out_what_was_seen_and_share_ties():
    scores = np.array([[9.0, 8, 7, 7, 5, 1]])
    asked = _asked([2, 2, 5, 0, -1], [[], [0], [0, 1, 2], [], [0]])
    found = ranks(lambda history: np.repeat(scores, history.shape[0], 0), asked)
    assert found.tolist() == [3.5, 2.5, 3.0, 1.0, MOVIES]


def test_peers_know_what_they_are_named_for():
    watched = sp.csr_matrix(np.array([[1, 1, 0, 0, 0, 0]] * 3 + [[0, 0, 1, 1, 1, 0]], np.float32))
    counts = np.asarray(watched.sum(0)).ravel()
    recent = np.array([0.0, 0, 0, 5, 0, 0])
    config = PeersConfig(movies=4, recent_days=9)
    found = dict(peers(Learned(counts, recent, watched), config))
    assert list(found) == ["popularity of the last 9 days", "ItemKNN", "EASE"]
    asked = _asked([0, 1, 3], [[], [0], [2]])
    # Recently movie 3 alone, before it the first two alike; movie 0 draws movie 1, and 2 draws 3.
    assert ranks(found["popularity of the last 9 days"], asked).tolist() == [2.5, 2.0, 1.0]
    for name in ("ItemKNN", "EASE"):
        assert ranks(found[name], asked).tolist()[1:] == [1.0, 1.0], name


def test_there_are_no_peers_where_nothing_was_rated():
    nobody = Learned(np.zeros(3), None, sp.csr_matrix((0, 3), dtype=np.float32))
    assert list(peers(nobody, PeersConfig())) == []


def test_hit_rates_and_gains_are_means_with_paired_intervals():
    rng = np.random.default_rng(1)
    users = np.repeat(np.arange(40), 5)
    hits = {name: (rng.random(200) < 0.4).astype(float) for name in (MODEL, "other")}
    model, other = compared(users, {**hits, "the same": hits[MODEL]}, GATES, seed=3)[:2]
    assert model["value"] == hits[MODEL].mean() and "gain" not in model
    assert other["gain"]["value"] == pytest.approx(hits[MODEL].mean() - hits["other"].mean())
    assert other["gain"]["low"] < other["gain"]["value"] < other["gain"]["high"]
    same = compared(users, {**hits, "the same": hits[MODEL]}, GATES, seed=3)[2]
    assert same["gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_parts_of_eval_follow_each_other_and_hold_every_row_once():
    time = np.repeat([10, 20, 30], [60, 100, 40])
    hits = {MODEL: (time == 20).astype(float), POPULARITY: np.zeros(200)}
    asked = _asked([0] * 200, [[]] * 200, time=time, user=np.arange(200) % 7)
    found = over_time(asked, hits, GATES, seed=3)
    own = [row for row in found if row["model"] == MODEL]
    assert [row["start"] for row in own] == [10, 20, 30][: len(own)]
    assert sum(row["rows"] for row in own) == 200
    assert own[0]["value"] == 0.0 and own[1]["value"] == 100 / own[1]["rows"]
    assert len(found) == 2 * len(own)
    few = _asked([0] * 60, [[]] * 60, time=time[:60])
    assert over_time(few, {k: v[:60] for k, v in hits.items()}, GATES, 3) == []
    assert over_time(_asked([0], [[]]), hits, GATES, 3) == []
    alone = _asked([0] * 200, [[]] * 200, time=time, user=np.zeros(200, int))
    assert {row["low"] for row in over_time(alone, hits, GATES, 3)} == {None}


@pytest.fixture(scope="module")
def splits(example, write_records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    train = [example(user_id=f"u{u}", movie_id=["m0", f"m{1 + u % 2}"], timestamp=[DAY, DAY])
             for u in range(6)]  # fmt: skip
    evaluated = [
        example(user_id=f"u{row}", movie_id=[f"m{1 + row % 2}"], timestamp=[(2 + row) * DAY],
                history_movie_id=["m0"] * (row % 3), seen_movie_id=["m5"] * (row == 4))
        for row in range(6)
    ]  # fmt: skip
    return {"train": [write_records(folder / "t", train)], "valid": [],
            "eval": [write_records(folder / "e", evaluated)]}  # fmt: skip


def _evaluate(examples):
    """A stub of the signature: always first, where popularity is always last."""
    first = tf.ones([tf.shape(examples)[0]])
    user = tf.strings.to_hash_bucket_fast(examples, 2**60)
    return {"user": user, "rank": first, "popularity_rank": MOVIES * first}


def test_what_was_seen_comes_from_history_and_from_before_it(splits, movies):
    from components.examples.records import records

    examples = np.concatenate([batch.numpy() for batch in records(splits["eval"], 9)])
    asked = ask({"evaluate": _evaluate}, examples, movies)
    assert asked.target.tolist() == [1, 2, 1, 2, 1, 2]
    assert asked.time is not None and asked.time.tolist() == [(2 + row) * DAY for row in range(6)]
    seen = [np.flatnonzero(row).tolist() for row in asked.seen.toarray()]
    assert seen == [[], [0], [0], [], [0, 5], [0]] and asked.seen.max() == 1
    read = [np.flatnonzero(row).tolist() for row in asked.history.toarray()]
    assert read == [[], [0], [0], [], [0], [0]]
    assert asked.ranks[MODEL].tolist() == [1.0] * 6


def test_model_and_peers_are_measured_on_the_same_rows(splits, movies):
    model = {"evaluate": _evaluate}
    found = measure(model, splits, ["train"], movies, PeersConfig(rows=4), GATES, seed=1)
    assert found is not None
    json.dumps(found, allow_nan=False)
    assert (found["rows"], found["users"], found["k"], found["learned"]) == (4, 4, 2, ["train"])
    values = {row["model"]: row["value"] for row in found["models"]}
    assert values[MODEL] == 1.0 and values[POPULARITY] == 0.0
    assert {"ItemKNN", "EASE"} < set(values)
    assert measure(model, splits, ["train"], movies, PeersConfig(rows=0), GATES, 1) is None


def test_lists_for_people_are_those_that_are_served(
    make_model, make_facts, make_lookup, example, tmp_path
):
    """Without a mix they hit where `evaluate` ranks the target among the first."""
    facts = make_facts(movies=40, features=False)
    save(ExportedRecommender(make_model(True, facts), make_lookup(facts), 5), str(tmp_path))
    signatures = tf.saved_model.load(str(tmp_path)).signatures
    rng = np.random.default_rng(2)
    rows = [rng.permutation(38)[:5] for _ in range(60)]
    examples = np.array([
        example(user_id=f"u{row % 3}", movie_id=f"m{target}", rating=3.0,
                history_movie_id=[f"m{movie}" for movie in seen[:3]],
                history_rating=[4.0, 2.0, 5.0], seen_movie_id=[f"m{seen[3]}"])
        for row, (target, *seen) in enumerate(rows)
    ], object)  # fmt: skip
    rank = signatures["evaluate"](examples=tf.constant(examples))["rank"].numpy()
    first = shown(signatures, examples, 10, 0.0)
    assert first.tolist() == (rank <= 10).astype(float).tolist() and 0 < first.mean() < 1
    assert shown(signatures, examples, 10, 1.0).tolist() != first.tolist()
