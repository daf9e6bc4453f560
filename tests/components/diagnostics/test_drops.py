"""How much worse a model becomes: the values and intervals by a plain loop."""

import numpy as np
import pytest

from components.diagnostics.drops import MEASURES, REPLICATES, drops
from components.evaluation.bootstrap import user_weights

ROWS = 60


RATED = np.arange(ROWS) % 4 > 0  # a row in four is seen and not rated


def _rows(rng):
    gain, square = rng.random(ROWS), rng.random(ROWS) * RATED
    return np.stack([gain, (gain > 0.5).astype(float), square, RATED.astype(float)], 1)


def test_values_and_intervals_agree_with_a_loop_over_replicates():
    rng = np.random.default_rng(4)
    users, whole = rng.integers(0, 9, ROWS), _rows(rng)
    without = {"history": _rows(rng) * [0.7, 0.7, 0.7, 1.0], "genres": _rows(rng)}
    found = drops(users, whole, without, seed=8)
    known = np.unique(users)
    weights = user_weights(known, REPLICATES, 8)

    def measures(rows, weight):
        mean = np.average(rows, axis=0, weights=weight)
        error = np.sqrt(mean[2] / mean[3])
        return dict(zip(MEASURES, [-mean[0], -mean[1], error], strict=True))

    assert (found["rows"], found["users"]) == (ROWS, len(known))
    for row in found["groups"]:
        other = without[row["group"]]
        for name in MEASURES:
            worse = [
                measures(other, weight)[name] - measures(whole, weight)[name]
                for weight in (weights[np.searchsorted(known, users), i] for i in range(REPLICATES))
            ]
            value = measures(other, None)[name] - measures(whole, None)[name]
            low, high = np.percentile(worse, [2.5, 97.5])
            assert [row[name][end] for end in ("value", "low", "high")] == pytest.approx(
                [value, low, high]
            )
    base = measures(whole, None)
    expected = [-base["ndcg"], -base["hit_rate@10"], base["rmse"]]
    assert list(found["base"].values()) == pytest.approx(expected)


def test_a_group_that_changes_nothing_is_worth_exactly_nothing():
    rng = np.random.default_rng(1)
    whole = _rows(rng)
    (row,) = drops(rng.integers(0, 5, ROWS), whole, {"year": whole.copy()}, 3)["groups"]
    for name in MEASURES:
        assert row[name] == {"value": 0.0, "low": 0.0, "high": 0.0}
