"""The bootstrap's draws, its sums and whether its intervals hold what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation import bootstrap

USERS = np.random.default_rng(1).integers(0, 2**62, 2000)


def test_weights_are_poisson_with_mean_one():
    weights = bootstrap.user_weights(USERS, 500, seed=7)
    assert weights.shape == (2000, 500)
    for k in range(5):
        expected = math.exp(-1) / math.factorial(k)
        assert np.mean(weights == k) == pytest.approx(expected, abs=0.002), k
    assert weights.mean() == pytest.approx(1, abs=0.005)
    assert weights.var() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("users", [np.arange(2000), USERS], ids=["consecutive", "hashed"])
def test_weights_of_users_and_of_replicates_are_independent(users):
    weights = bootstrap.user_weights(users, 200, seed=7)
    # A replicate's total is a sum of independent draws, and so is a user's.
    assert weights.sum(0).var() == pytest.approx(2000, rel=0.35)
    assert weights.sum(1).var() == pytest.approx(200, rel=0.2)
    neighbours = [np.corrcoef(weights[:, i], weights[:, i + 1])[0, 1] for i in range(50)]
    assert abs(np.mean(neighbours)) < 0.02
    assert np.max(np.abs(neighbours)) < 0.1


def test_a_users_weights_do_not_depend_on_who_else_is_there():
    alone = bootstrap.user_weights(USERS[5:6], 100, seed=3)
    np.testing.assert_array_equal(bootstrap.user_weights(USERS, 100, seed=3)[5:6], alone)
    np.testing.assert_array_equal(bootstrap.user_weights(USERS[::-1], 100, seed=3)[-6:-5], alone)


def test_the_seed_alone_changes_the_draws():
    first, again, other = (bootstrap.user_weights(USERS, 100, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.mean(first == other) < 0.4  # two independent draws agree in three of ten cases
    # The next seed must not give the same replicates one place further on.
    assert np.mean(first[:, 1:] == other[:, :-1]) < 0.4


@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(-5, 5)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_sums_depend_on_neither_order_nor_partition(rows, random, data):
    users = np.array([user for user, _ in rows]) * 10**15
    columns = np.array([[1.0, value] for _, value in rows])
    whole = bootstrap.replicate_sums(users, columns, 20, seed=1)
    order = random.sample(range(len(rows)), len(rows))
    cut = data.draw(st.integers(0, len(rows)))
    parts = [
        bootstrap.replicate_sums(users[part], columns[part], 20, seed=1)
        for part in (order[:cut], order[cut:])
        if part
    ]
    np.testing.assert_allclose(sum(parts), whole, atol=1e-9)
    weights = bootstrap.user_weights(users, 20, seed=1)
    np.testing.assert_allclose(whole[0], columns.sum(0), atol=1e-9)
    for replicate in range(20):
        expected = (columns * weights[:, [replicate]]).sum(0)
        np.testing.assert_allclose(whole[1 + replicate], expected, atol=1e-9)


def test_no_rows_sum_to_nothing():
    sums = bootstrap.replicate_sums(np.zeros(0, np.int64), np.zeros([0, 3]), 20, seed=1)
    np.testing.assert_array_equal(sums, np.zeros([21, 3]))


def _simulate(rng, users=60):
    """Ratios of users' sums: values correlate within a user, and users differ in size."""
    sizes = rng.integers(1, 8, users)
    ids = np.repeat(rng.integers(0, 2**62, users), sizes)
    values = np.repeat(rng.normal(0, 1, users), sizes) + rng.normal(0, 0.5, sizes.sum())
    return ids, values


def _mean_interval(ids, values, level=0.95, seed=5):
    columns = np.stack([np.ones(len(values)), values], 1)
    sums = bootstrap.replicate_sums(ids, columns, 300, seed)
    return bootstrap.interval(sums[1:, 1] / sums[1:, 0], level)


@pytest.mark.parametrize(("level", "least", "most"), [(0.95, 0.90, 0.98), (0.8, 0.72, 0.87)])
def test_intervals_cover_the_truth_as_often_as_they_say(level, least, most):
    rng = np.random.default_rng(11)
    covered = []
    for trial in range(300):
        ids, values = _simulate(rng)
        low, high = _mean_interval(ids, values, level, trial)
        covered.append(low <= 0 <= high)
    assert least <= np.mean(covered) <= most


def test_a_paired_difference_is_narrower_than_an_unpaired_one():
    rng = np.random.default_rng(3)
    ids, model = _simulate(rng)
    baseline = model - 0.1 + rng.normal(0, 0.1, len(model))
    low, high = _mean_interval(ids, model - baseline)
    unpaired = [np.subtract(*_mean_interval(ids, column)[::-1]) for column in (model, baseline)]
    assert high - low < 0.3 * min(unpaired)
    assert low < 0.1 < high


def test_an_interval_skips_replicates_that_hold_nobody():
    replicated = np.array([np.nan, *np.linspace(0, 1, 101)])
    assert bootstrap.interval(replicated, 0.9) == pytest.approx((0.05, 0.95))


def test_intervals_of_several_metrics_are_each_its_own():
    replicated = np.random.default_rng(2).normal(size=[200, 3])
    replicated[:, 2] = np.nan
    low, high = bootstrap.interval(replicated, 0.8)
    for column in range(2):
        expected = np.percentile(replicated[:, column], [10, 90])
        np.testing.assert_allclose([low[column], high[column]], expected)
    assert np.isnan([low[2], high[2]]).all()
