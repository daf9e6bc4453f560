"""The order of rated movies, against every order written out."""

from itertools import pairwise, permutations
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rated_lists import rated_ndcg

row = st.tuples(st.integers(0, 3), st.integers(1, 10), st.integers(0, 2))


def _by_hand(rows, lowest, k):
    """NDCG as the mean over all orders that the predictions allow, user by user."""
    found = []
    for user in {user for user, _, _ in rows}:
        own = [(predicted, rating / 2 - lowest) for u, rating, predicted in rows if u == user]
        if len({gain for _, gain in own}) < 2:
            continue
        orders = list(permutations(own))
        best = max(_gain(order, k) for order in orders)
        allowed = [o for o in orders if all(a[0] >= b[0] for a, b in pairwise(o))]
        found.append(sum(_gain(order, k) for order in allowed) / len(allowed) / best)
    return sum(found) / len(found) if found else float("nan")


def _gain(order, k):
    return sum(gain / log2(2 + place) for place, (_, gain) in enumerate(order[:k]))


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=14), st.sampled_from([1, 2, 3, None]))
def test_agrees_with_all_orders_written_out(rows, k):
    rows = [r for i, r in enumerate(rows) if sum(r[0] == s[0] for s in rows[:i]) < 5]
    person, rating, predicted = np.array(rows).T
    found = rated_ndcg(person * 7, rating / 2, predicted * 1.0, 0.5, k)
    assert found == pytest.approx(_by_hand(rows, 0.5, k), nan_ok=True)


def test_a_known_list():
    """Gains 3, 1 and 0 put in the order 1, 3, 0; the other user has no order to find."""
    person, rating = np.array([5, 5, 5, 9, 9]), np.array([4.0, 2.0, 1.0, 3.0, 3.0])
    found = rated_ndcg(person, rating, np.array([2.0, 3.0, 1.0, 1.0, 2.0]), lowest=1)
    assert found == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))
    assert rated_ndcg(person, rating, np.zeros(5), 1, k=1) == pytest.approx((4 / 3) / 3)


def test_nobody_to_judge_is_no_number():
    assert np.isnan(rated_ndcg(np.arange(3), np.arange(3.0), np.zeros(3), 0))
