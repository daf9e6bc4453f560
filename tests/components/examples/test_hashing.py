"""Hashes that decide splits, orders and samples: the same numbers for ever."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.examples.hashing import combine, hash_strings, mix, to_unit

NUMBERS = np.array([0, 1, 42, 2**63, 2**64 - 1], np.uint64)


def _splitmix64(state: int) -> int:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), in whole numbers."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = ((state ^ (state >> shift)) * factor) % 2**64
    return state ^ (state >> 31)


def _fnv1a(text: bytes) -> int:
    state = 0xCBF29CE484222325
    for byte in text:
        state = ((state ^ byte) * 0x100000001B3) % 2**64
    return state


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_integers_are_spread_by_splitmix64(numbers):
    mixed = mix(np.array(numbers, np.uint64))
    assert mixed.tolist() == [_splitmix64(number) for number in numbers]


@given(st.lists(st.text(max_size=9), min_size=1), st.integers(0, 3))
def test_strings_are_hashed_wherever_they_stand(texts, skipped):
    hashes = hash_strings(pa.array(["x"] * skipped + texts).slice(skipped))
    assert hashes.tolist() == [_splitmix64(_fnv1a(text.encode())) for text in texts]


def test_a_seed_rules_what_is_combined():
    one, other = (combine(NUMBERS, NUMBERS[::-1], seed=seed) for seed in (1, 2))
    assert not np.any(one == other) and len(set(one.tolist())) == len(NUMBERS)
    assert np.array_equal(one, combine(NUMBERS, NUMBERS[::-1], seed=1))


def test_numbers_are_spread_evenly_below_one():
    unit = to_unit(mix(np.arange(10_000, dtype=np.uint64)))
    assert unit.min() >= 0 and unit.max() < 1
    assert np.histogram(unit, 10, (0, 1))[0].min() > 900
