"""Measures of lists against a plain computation, list by list."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.evaluation import bootstrap, lists
from components.evaluation.lists import Seen
from components.examples.activity import Movies

GENRES = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], bool)
COUNTS = np.array([10.0, 4, 0, 1, 7, 2])
MOVIES = Movies(COUNTS, 12, GENRES)
some = st.lists(st.permutations(range(6)).map(lambda p: p[:3]), min_size=1, max_size=6)


def _own(row):
    return [movie for movie in row if movie >= 0]


def _mean(values):
    values = [value for value in values if value is not None]
    return math.fsum(values) / len(values) if values else math.nan


def _distance(one, other):
    a, b = (set(np.flatnonzero(GENRES[movie])) for movie in (one, other))
    return 1 - len(a & b) / len(a | b) if a and b else None


def _shares(row):
    total = np.zeros(3)
    for movie in _own(row):
        if GENRES[movie].any():
            total += GENRES[movie] / GENRES[movie].sum()
    return total / total.sum() if total.sum() else None


def _divergence(row, history):
    p, q = _shares(history), _shares(row)
    if p is None or q is None:
        return None
    return sum(a * math.log(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True) if a > 0)


def _by_hand(rows, histories):
    given = [_mean(COUNTS[movie] for movie in _own(row)) for row in rows]
    rated = [_mean(COUNTS[movie] for movie in _own(row)) for row in histories]
    both = [i for i in range(len(rows)) if _own(rows[i]) and _own(histories[i])]
    return {
        "coverage": len({movie for row in rows for movie in _own(row)}) / 6,
        "novelty": _mean(
            _mean(math.log2(13 / (COUNTS[m] + 1)) for m in _own(row)) if _own(row) else None
            for row in rows
        ),
        "diversity": _mean(
            None if math.isnan(value) else value
            for value in (
                _mean(_distance(*pair) for pair in itertools.combinations(_own(row), 2))
                for row in rows
            )
        ),
        "genre_divergence": _mean(map(_divergence, rows, histories)),
        "full_list": _mean(1.0 if len(_own(row)) == 3 else 0.0 for row in rows),
        "popularity_lift": sum(given[i] for i in both) / sum(rated[i] for i in both) - 1
        if both and sum(rated[i] for i in both)
        else None,
    }


def _shortened(rows, lengths):
    return np.array([
        [movie if place < length else -1 for place, movie in enumerate(row)]
        for row, length in zip(rows, lengths, strict=True)
    ])  # fmt: skip


@settings(deadline=None)
@given(some, st.data())
def test_every_measure_agrees_with_a_plain_computation(rows, data):
    lengths = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    given_rows = _shortened(rows, data.draw(lengths))
    histories = _shortened([row[::-1] for row in rows], data.draw(lengths))
    users = np.arange(len(rows)) * 10**9
    found = lists.measure(given_rows, histories, MOVIES, users, 50, 1)
    for name, value in _by_hand(given_rows.tolist(), histories.tolist()).items():
        if value is not None:
            np.testing.assert_allclose(found[name][0], value, atol=1e-6, err_msg=name)


def test_intervals_resample_users():
    rng = np.random.default_rng(4)
    rows = np.stack([rng.permutation(6)[:3] for _ in range(40)])
    histories = np.stack([rng.permutation(6)[:3] for _ in range(40)])
    users = rng.integers(0, 2**60, 40)
    found = lists.measure(rows, histories, MOVIES, users, 60, 9)
    weights = bootstrap.user_weights(users, 60, 9).astype(int)
    for replicate in (0, 17, 59):
        drawn = np.repeat(np.arange(40), weights[:, replicate])
        expected = _by_hand(rows[drawn].tolist(), histories[drawn].tolist())
        for name in ("novelty", "diversity", "genre_divergence", "popularity_lift"):
            assert found[name][1 + replicate] == pytest.approx(expected[name], abs=1e-6)
    table = lists.shown(found, 0.9)
    assert table["coverage"][1:] == [None, None]
    value, low, high = table["novelty"]
    assert low < value < high


def test_sources_without_genres_have_no_measures_of_them():
    bare = Movies(COUNTS, 12, np.zeros([6, 0], bool))
    rows = np.array([[0, 1, 2]])
    found = lists.shown(lists.measure(rows, rows, bare, np.array([1]), 50, 1), 0.9)
    assert found["diversity"][0] is None and found["genre_divergence"][0] is None
    assert found["novelty"][0] is not None


def test_faulty_lists_are_counted():
    rows = np.array([[0, 1, 2], [3, 3, 4], [5, 0, 1], [4, -1, -1], [2, 3, 4]])
    again = np.array([[0, 1, 2], [3, 3, 4], [5, 0, 1], [4, -1, -1], [2, 4, 3]])
    seen = Seen(np.array([0, 0, 2, 2, 3, 3, 1]), np.array([3, 4, 0, 4, 0, 1, -1]))
    assert lists.faults(rows, again, seen) == {
        "repeats a movie": 1, "holds a movie already seen": 1, "differs when asked again": 1,
    }  # fmt: skip
    assert lists.holding_seen(rows, seen).tolist() == [2]
    assert lists.short(rows, seen, movies=6) == 1  # four of six are unseen by the fourth user
    most = Seen(np.zeros(6, int), np.array([0, 1, 2, 3, 5, 5]))  # one of them was seen twice
    assert lists.short(rows[3:4], most, movies=6) == 0


@given(some, st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), max_size=20), st.data())
def test_seen_movies_are_found_in_the_lists_of_those_who_saw_them(rows, pairs, data):
    lengths = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    shown = _shortened(rows, data.draw(lengths))
    pairs = [(owner % len(rows), movie) for owner, movie in pairs]
    seen = Seen(*np.array(pairs, int).reshape([-1, 2]).T)
    wrong = [row for row in range(len(rows)) if {(row, m) for m in _own(shown[row])} & {*pairs}]
    assert lists.holding_seen(shown, seen).tolist() == wrong
