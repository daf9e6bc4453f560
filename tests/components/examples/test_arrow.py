"""The bytes of Arrow's arrays as NumPy has them, of parts of arrays too."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.examples.arrow import filled, grouped, numbers_in, value_starts

texts = st.lists(st.text(max_size=5), min_size=1, max_size=8)


@given(texts, st.integers(0, 7), st.integers(0, 8))
def test_each_value_starts_where_the_one_before_it_ends(values, first, most):
    part = pa.array(values, pa.string()).slice(min(first, len(values)), most)
    starts = value_starts(part)
    data = part.buffers()[2]
    content = numbers_in(data, np.uint8).tobytes() if data else b""
    ends = itertools.pairwise(starts)
    assert [content[start:end].decode() for start, end in ends] == values[first:][:most]


@pytest.mark.parametrize("kind", [np.uint8, np.int32])
def test_numbers_are_read_without_a_copy(kind):
    numbers = np.arange(6, dtype=kind)
    found = numbers_in(pa.py_buffer(numbers.data), kind)
    np.testing.assert_array_equal(found, numbers)
    assert np.shares_memory(found, numbers)


def test_values_are_those_of_arrays_whole_and_in_chunks():
    assert filled(pa.array([b"a", b"b"])) == [b"a", b"b"]
    assert filled(pa.chunked_array([[1, 2], [3]])) == [1, 2, 3]


def test_groups_have_what_is_wanted_before_their_keys_on_every_arrow():
    table = pa.table({"key": ["b", "a", "b"], "other": [1, 1, 1], "n": [1, 2, 4]})
    found = grouped(table, ["key", "other"], [("n", "sum"), ("n", "count")])
    assert found.column_names == ["n_sum", "n_count", "key", "other"]
    assert sorted(found.to_pylist(), key=lambda row: row["key"]) == [
        {"n_sum": 2, "n_count": 1, "key": "a", "other": 1},
        {"n_sum": 5, "n_count": 2, "key": "b", "other": 1},
    ]
