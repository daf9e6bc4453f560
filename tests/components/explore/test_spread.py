"""Lorenz curves and Gini's coefficient, where they are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.explore import spread

PAIRS = st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 50)), min_size=1, max_size=30)


def test_equal_counts_are_spread_evenly():
    counts, weights = np.array([7]), np.array([40])
    assert spread.gini(counts, weights) == pytest.approx(0)
    assert spread.top_share(counts, weights, 0.1) == pytest.approx(0.1)


def test_one_who_has_nearly_all():
    counts, weights = np.array([1, 9901]), np.array([99, 1])
    assert spread.gini(counts, weights) == pytest.approx(0.9801)
    assert spread.top_share(counts, weights, 0.01) == pytest.approx(0.9901)


@given(PAIRS)
def test_gini_is_the_mean_difference_of_pairs_over_twice_the_mean(pairs):
    counts, weights = np.array(pairs).T
    one_each = np.repeat(counts, weights).astype(float)
    difference = np.abs(one_each[:, None] - one_each[None, :]).mean()
    assert spread.gini(counts, weights) == pytest.approx(difference / (2 * one_each.mean()))


@given(PAIRS)
def test_the_curve_rises_and_never_lies_above_equality(pairs):
    counts, weights = np.array(pairs).T
    rows = spread.lorenz_rows("users", counts, weights)
    share, ratings = (np.array([row[name] for row in rows]) for name in ("share", "ratings"))
    assert (ratings[0], ratings[-1]) == (0, pytest.approx(1))
    assert (np.diff(ratings) >= 0).all() and (ratings <= share + 1e-9).all()
