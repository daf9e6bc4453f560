"""The comparison with peers: same rows for all, and metrics that agree with plain counting."""

import json

import numpy as np
import pytest

from benchmarks import rating_peers, retrieval_peers, synthetic
from benchmarks.accuracy import accuracy_options, measured_as, numbers, ranking, rating
from benchmarks.data import PAUSE, read_split
from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from schemas.source import load_source


@pytest.fixture(scope="module", params=["temporal", "random"])
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    synthetic.write(folder, 4000)
    source = load_source("movielens-latest")
    examples, catalogue = str(folder / "examples"), str(folder / "catalogue")
    generate(source, SplitConfig(kind=request.param), str(folder), examples, catalogue)
    return folder, read_split(examples, catalogue, source.scale)


def test_every_rating_is_read_once(made):
    folder, split = made
    told = json.loads((folder / "examples" / "rows.json").read_text())["splits"]
    for name in ("train", "valid", "eval"):
        rows = getattr(split, name)
        assert len(rows.user) == len(rows.movie) == len(rows.rating) == told[name]["ratings"]
    assert len(split.train.history.values) == 0
    assert split.train.user.max() < split.users


def test_no_target_is_in_its_own_history(made):
    _, split = made
    held = split.eval.matrix(split.movies)
    assert held.nnz == len(split.eval.history.values)
    assert not np.asarray(held[np.arange(len(split.eval.user)), split.eval.movie]).any()


def test_pauses_are_counted_from_the_newest_event(made):
    _, split = made
    rows = split.eval
    for row in range(0, len(rows.user), 7):
        times = rows.history_time[rows.history.offsets[row] : rows.history.offsets[row + 1]]
        assert rows.first[row] == (len(times) == 0)
        # A random split's history may hold later events: then it is neither.
        gap = rows.time[row] - times[-1] if len(times) else -1
        assert rows.after_pause[row] == (gap >= PAUSE)
        assert rows.same_sitting[row] == (0 <= gap < PAUSE)


def test_ranks_agree_with_plain_counting(made):
    _, split = made
    rows, rng = split.eval, np.random.default_rng(1)
    table = rng.integers(0, 20, [len(rows.user), split.movies]).astype(np.float32)
    found = retrieval_peers.ranks(split, rows, lambda _, start, stop: table[start:stop])
    for row in range(0, len(rows.user), 11):
        lists = (rows.history, rows.seen)
        seen = {m for own in lists for m in own.values[own.offsets[row] : own.offsets[row + 1]]}
        others = [m for m in range(split.movies) if m not in seen and m != rows.movie[row]]
        own = table[row, rows.movie[row]]
        better = (table[row, others] > own).sum()
        assert found[row] == 1 + better + (table[row, others] == own).sum() / 2


def test_popularity_and_bias_are_what_their_names_say(made):
    _, split = made
    _, learn = next(retrieval_peers.popularity(split))
    popular = learn()
    counts = np.array([(split.train.movie == movie).sum() for movie in range(split.movies)])
    np.testing.assert_array_equal(popular(split.eval, 0, 2), [counts, counts])
    mean, bias = rating_peers.movie_bias(split, doubt=3.0)
    movie = int(split.train.movie[0])
    own = split.train.rating[split.train.movie == movie] - mean
    assert bias[movie] == pytest.approx(own.sum() / (len(own) + 3.0), abs=1e-5)


def test_peers_learn_again_from_train_and_valid(made):
    folder, split = made
    uris = str(folder / "examples"), str(folder / "catalogue")
    both = read_split(*uris, split.scale, ["train", "valid"])
    popular = retrieval_peers.learned(both, retrieval_peers.popularity, "")
    movies = np.concatenate([split.train.movie, split.valid.movie])
    counts = np.bincount(movies, minlength=split.movies)
    np.testing.assert_array_equal(popular(both.eval, 0, 1), [counts])
    np.testing.assert_array_equal(both.eval.movie, split.eval.movie)
    new = both.valid.user == both.users
    assert not new.any() and both.users >= split.users


def test_metrics_of_known_answers(made):
    _, split = made
    rows = split.eval
    rank = np.where(np.arange(len(rows.user)) % 2, 3.0, 50.0)
    found = ranking(split, rank)
    assert found["hit_rate@10"] == pytest.approx((rank == 3).mean())
    assert found["hit_rate@100"] == 1
    assert found["ndcg@10"] == pytest.approx((rank == 3).mean() / 2)
    rated = rating(split, rows.rating + 0.5)
    assert rated["rmse"] == pytest.approx(0.5)
    assert rated["rated ndcg@10"] == pytest.approx(1) == rated["rated ndcg"]
    assert rating(split, -rows.rating)["rated ndcg"] < 0.99


def test_every_user_has_a_number_of_their_own(made):
    _, split = made
    rows = split.eval
    known = rows.user < split.users
    pairs = set(zip(rows.person[known].tolist(), rows.user[known].tolist(), strict=True))
    assert len(pairs) == len({person for person, _ in pairs}) == len({user for _, user in pairs})
    assert not set(rows.person[~known]) & {person for person, _ in pairs}


def test_the_benchmark_says_what_it_measured_and_names_no_folder():
    given = ["--source", "movielens-100k", "--data-dir", "/home/me/ml", "--split", "random"]
    options = accuracy_options("", "runs").parse_args([*given, "--set", "model.dims=32"])
    said = measured_as(options)
    assert said["command"] == (
        "python -m benchmarks.accuracy --source movielens-100k --data-dir DIR --split random "
        "--seeds 42 43 44 --set model.dims=32"
    )
    assert (said["source"], said["split"], said["seeds"]) == (
        "movielens-100k", "random", [42, 43, 44],
    )  # fmt: skip
    assert numbers({"rmse": 0.9, "new users: rmse": float("nan")}) == {"rmse": 0.9}
