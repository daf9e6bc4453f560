"""What peers learn, against counting by hand."""

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from components.examples.catalogue import Catalogue
from components.model.linear import closed_form
from components.peers.learned import DAY, cosine_weights, learn_from, most_rated, together


@pytest.fixture(scope="module")
def movies():
    ids = pa.array([b"m0", b"m1", b"m2", b"m3"], pa.large_binary())
    return Catalogue(ids, ids, {})


@pytest.fixture(scope="module")
def splits(example, write_records, tmp_path_factory):
    """u0 rated m0 and m2 long ago and m1 today, u1 m1 today, in valid; gone is in no catalogue."""
    folder = tmp_path_factory.mktemp("learned")
    train = [
        example(user_id="u0", movie_id=["m0", "m2"], timestamp=[DAY, 2 * DAY]),
        example(user_id="u0", movie_id=["m1", "gone"], timestamp=[90 * DAY, 90 * DAY]),
    ]
    valid = [example(user_id="u1", movie_id=["m1"], timestamp=[91 * DAY])]
    return {"train": [write_records(folder / "t", train)],
            "valid": [write_records(folder / "v", valid)]}  # fmt: skip


def test_ratings_are_counted_of_the_splits_that_are_named(splits, movies):
    both = learn_from(splits, movies, days=30)
    assert both.counts.tolist() == [1, 2, 1, 0]
    assert both.recent is not None and both.recent.tolist() == [0, 2, 0, 0]
    assert sorted(map(tuple, both.watched.toarray().tolist())) == [(0, 1, 0, 0), (1, 1, 1, 0)]
    train = learn_from({"train": splits["train"]}, movies, days=100)
    assert train.counts.tolist() == [1, 1, 1, 0]
    assert train.recent is not None and train.recent.tolist() == [1, 1, 1, 0]


def test_without_times_nothing_is_recent(example, write_records, tmp_path, movies):
    path = write_records(tmp_path / "t", [example(user_id="u", movie_id=["m3"])])
    found = learn_from({"train": [path]}, movies, days=30)
    assert found.recent is None and found.counts.tolist() == [0, 0, 0, 1]


def test_only_what_is_rated_is_among_the_most_rated():
    counts = np.array([0.0, 5.0, 2.0, 9.0, 2.0])
    assert most_rated(counts, 3).tolist() == [1, 2, 3]
    assert most_rated(counts, 9).tolist() == [1, 2, 3, 4]


def _watched(users=30, movies=7):
    draws = np.random.default_rng(8).random([users, movies])
    return sp.csr_matrix((draws < np.linspace(0.7, 0.2, movies)).astype(np.float32))


def test_cosines_are_those_of_plain_loops_and_the_nearest_are_kept():
    watched = _watched()
    columns, both = watched.toarray().T, together(watched)
    expected = np.zeros([7, 7])
    for one in range(7):
        for other in set(range(7)) - {one}:
            product = np.linalg.norm(columns[one]) * np.linalg.norm(columns[other])
            expected[one, other] = columns[one] @ columns[other] / (product + 2.0)
    np.testing.assert_allclose(cosine_weights(both.copy(), 7, 2.0), expected, rtol=1e-5)
    kept = cosine_weights(both.copy(), 2, 2.0)
    for movie in range(7):
        nearest = np.sort(expected[:, movie])[-2:]
        np.testing.assert_allclose(np.sort(kept[:, movie])[-2:], nearest, rtol=1e-5)
        assert (kept[:, movie] > 0).sum() == 2


def test_ease_predicts_each_movie_from_the_others_with_least_squares():
    """Steck's solution is ridge regression of a movie's column on the others', column by column."""
    watched = _watched().toarray().astype(np.float64)
    weights = closed_form(together(_watched()), 3.0)
    for movie in range(7):
        others = [place for place in range(7) if place != movie]
        rest = watched[:, others]
        ridge = np.linalg.solve(rest.T @ rest + 3.0 * np.eye(6), rest.T @ watched[:, movie])
        np.testing.assert_allclose(weights[others, movie], ridge, atol=1e-4)
