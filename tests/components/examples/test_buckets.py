"""Buckets of numbers: their bounds, their names, and what lies in which."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.examples.buckets import (
    bounds_of,
    bucket_names,
    bucket_rows,
    quantile_bounds,
    rounded,
)
from components.model.parsing import Buckets

FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)


@given(st.lists(FLOATS, max_size=9))
def test_names_tell_the_bounds_and_every_bucket_apart(quantiles):
    bounds = rounded(quantiles)
    assert bounds == sorted(set(bounds))
    names = bucket_names(bounds)
    assert len(set(names)) == len(names) == len(bounds) + 1
    assert bounds_of(names) == bounds
    assert not [name for name in names if {*",="} & {*name}]  # which part the names of slices


@given(st.lists(FLOATS, max_size=9), st.lists(FLOATS, min_size=1))
def test_the_graph_finds_the_bucket_that_its_name_says(quantiles, numbers):
    bounds = rounded(quantiles)
    rows = bucket_rows(numbers, bounds)
    np.testing.assert_array_equal(Buckets(bounds).lookup(tf.constant(numbers)), rows)
    ends = [-np.inf, *np.array(bounds, np.float32), np.inf]
    for number, row in zip(np.array(numbers, np.float32), rows, strict=True):
        assert ends[row] <= number < ends[row + 1]


def test_an_unknown_number_is_behind_the_last_bucket():
    assert Buckets([1.0, 2.0]).lookup(tf.constant([np.nan, 2.0])).numpy().tolist() == [3, 2]
    assert Buckets([]).lookup(tf.constant([np.nan, 2.0])).numpy().tolist() == [1, 0]


@pytest.mark.parametrize(
    ("quantiles", "bounds"),
    [
        ([88.0, 95.0, 95.0, 104.0], [88, 95, 104]),
        ([1_234_567.0, 30_048_112.0, 152_341_987.0], [1_000_000, 30_000_000, 150_000_000]),
        ([0.123456, 0.5, np.nan], [0.12, 0.5]),
        ([7.25], [7.25]),
        ([], []),
    ],
)
def test_bounds_are_short_to_read(quantiles, bounds):
    assert rounded(quantiles) == bounds


@given(st.lists(st.integers(-999, 999), min_size=1, max_size=200))
def test_buckets_of_quantiles_hold_about_equally_many(numbers):
    """But for numbers that are there many times, which lie in one bucket."""
    values = np.array([*numbers, np.nan], np.float32)
    rows = bucket_rows(values[:-1], quantile_bounds(values))
    most = max(np.unique(numbers, return_counts=True)[1])
    assert np.bincount(rows).max() <= len(numbers) / 10 + 2 * most + 1


def test_a_weight_counts_as_often_as_it_says():
    numbers, times = np.array([1, 5, 9], np.float32), [3, 0, 17]
    assert quantile_bounds(numbers, times) == quantile_bounds(np.repeat(numbers, times))
    assert quantile_bounds(numbers, [0, 0, 0]) == []
