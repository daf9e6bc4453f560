"""Pairs that were held out, against a count by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.similar import found, held_out_pairs

# One rated the movies 0, 1 and 2, another 1 and 2, a third nothing but 3, and one is unknown (-1).
ROWS = SimpleNamespace(
    person=np.array([7, 7, 7, 9, 9, 4, 4]), movie=np.array([0, 1, 2, 1, 2, 3, -1])
)


def test_pairs_weigh_what_their_people_rated() -> None:
    pairs = held_out_pairs(ROWS, 5).toarray()  # type: ignore[arg-type]
    expected = np.zeros([5, 5])
    expected[[0, 0, 1, 2], [1, 2, 0, 0]] = 0.5
    expected[[1, 2], [2, 1]] = 0.5 + 1
    np.testing.assert_allclose(pairs, expected)
    assert pairs.sum() == 3 + 2  # as many as they rated, but for the one who rated one alone


def test_what_is_found_and_what_popularity_would_find() -> None:
    pairs = held_out_pairs(ROWS, 5)  # type: ignore[arg-type]
    counts, years = np.array([1, 2, 3, 4, 0]), np.array([1990, 1991, 2000, 0, 1990])
    asked, nearest = np.array([0, 1, 2]), np.array([[1, 4], [2, 3], [3, 4]])
    one = found(pairs, asked, nearest, counts, years)
    assert one.share == pytest.approx((0.5 + 1.5) / 5)
    chance = 1 * (0.2 + 0.0) + 2 * (0.3 + 0.4) + 2 * (0.4 + 0.0)
    assert one.lift == pytest.approx(2.0 / chance)
    assert one.same_years == pytest.approx(2 / 4)  # of those whose years are known
