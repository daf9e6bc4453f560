"""Splits: shares, cut-offs and carving, against what a reader would write in plain Python."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.example_gen.config import SplitConfig
from components.example_gen.split import cutoffs, splits
from components.example_gen.split.splits import EVAL, TRAIN, VALID

timestamps = st.lists(
    st.one_of(
        st.integers(-5, 5),
        st.integers(0, 1 << 21),
        st.integers(0, 1 << 41),
        st.integers(-(1 << 60), 1 << 60),
    ),
    min_size=1,
    max_size=60,
)
shares = st.sampled_from([(0.1, 0.1), (0.0, 0.3), (0.33, 0.33), (0.05, 0.9)])


def _cutoffs(parts: list[np.ndarray], config: SplitConfig) -> list[int]:
    levels = [cutoffs.merge(cutoffs.coarse(part) for part in parts)]
    needed = splits.ranks_before(levels[0].rows, config)
    while len(levels) < cutoffs.LEVELS:
        levels.append(cutoffs.merge(cutoffs.finer(part, levels, needed) for part in parts))
    return cutoffs.cut(levels, needed)


@given(timestamps, shares, st.integers(1, 7))
def test_cutoffs_are_the_smallest_that_leave_the_share_before(times, share, parts):
    config = SplitConfig(valid=share[0], eval=share[1])
    array = np.array(times, np.int64)
    found = _cutoffs(np.array_split(array, parts), config)
    held_out = [Fraction(str(share[0])) + Fraction(str(share[1])), Fraction(str(share[1]))]
    for cutoff, behind in zip(found, held_out, strict=True):
        wanted = (1 - behind) * len(times)
        assert sum(time < cutoff for time in times) >= wanted
        assert sum(time < cutoff - 1 for time in times) < wanted


@given(timestamps, shares)
def test_temporal_puts_every_tie_in_one_split(times, share):
    array = np.array(times, np.int64)
    split = splits.by_time(array, _cutoffs([array], SplitConfig(valid=share[0], eval=share[1])))
    by_moment: dict[int, set[int]] = {}
    for time, code in zip(times, split.tolist(), strict=True):
        by_moment.setdefault(time, set()).add(code)
    assert all(len(codes) == 1 for codes in by_moment.values())
    ordered = split[np.argsort(array, kind="stable")]
    assert np.all(np.diff(ordered) >= 0)


def test_valid_ends_where_it_always_does_and_begins_later_if_it_would_be_too_large():
    config = SplitConfig(most_valid=30)
    assert splits.ranks_before(1000, config) == [870, 900]
    assert splits.ranks_before(200, config) == [160, 180]


def test_temporal_cuts_distinct_seconds_exactly():
    times = np.arange(1000)[::-1] * 86_400
    split = splits.by_time(times, _cutoffs([times], SplitConfig()))
    assert [int((split == code).sum()) for code in (TRAIN, VALID, EVAL)] == [800, 100, 100]


def test_random_shares_come_out_and_depend_on_the_seed():
    hashes = np.arange(50_000, dtype=np.uint64)
    config = SplitConfig(kind="random", eval=0.2)
    split = splits.by_hash(hashes, config, 0.05)
    assert abs((split == EVAL).mean() - 0.2) < 0.01
    assert abs((split == VALID).mean() - 0.05) < 0.01
    assert np.array_equal(split[::3], splits.by_hash(hashes[::3], config, 0.05))
    other = splits.by_hash(hashes, config.model_copy(update={"seed": 1}), 0.05)
    assert (other != split).mean() > 0.1


@given(st.lists(st.integers(1, 12), max_size=8), st.integers(1, 4))
def test_leave_last_n_takes_the_end_of_each_timeline(counts, n):
    users = np.repeat(np.arange(len(counts)), counts)
    split = splits.by_last(users, n)
    start = 0
    for count in counts:
        held_out = n if count > n else 0
        valid = n if count > 2 * n else 0
        train = count - held_out - valid
        expected = [TRAIN] * train + [VALID] * valid + [EVAL] * held_out
        assert split[start : start + count].tolist() == expected
        start += count


def test_carving_takes_valid_from_train_only():
    given_by_file = np.array([TRAIN, TRAIN, EVAL, EVAL], np.int8)
    carved = np.array([TRAIN, VALID, VALID, TRAIN], np.int8)
    assert splits.carve(given_by_file, carved).tolist() == [TRAIN, VALID, EVAL, EVAL]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([TRAIN, EVAL])), max_size=12
    )
)
def test_eval_after_train_looks_at_one_user_at_a_time(rows):
    rows = sorted(rows, key=lambda row: row[:2])
    users = np.array([row[0] for row in rows], np.int64)
    given_by_file = np.array([row[2] for row in rows], np.int8)
    starts = np.array([[r[:2] for r in rows].index(row[:2]) for row in rows], np.int64)
    later = any(
        one[2] == TRAIN and other[2] == EVAL and one[0] == other[0] and one[1] > other[1]
        for one in rows
        for other in rows
    )
    found = splits.eval_after_train(users, given_by_file, starts)
    assert found == (not later)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "predefined"}, "to name files"),
        ({"kind": "predefined", "train": "a.csv", "eval": 0.1}, "to name files"),
        ({"train": "a.csv"}, "only with split.kind=predefined"),
        ({"eval": "b.csv"}, "only with split.kind=predefined"),
        ({"valid": 0.5, "eval": 0.5}, "must leave a share"),
        ({"eval": 0.0}, "must leave a share"),
        ({"kind": "random", "history": "before"}, "later ratings"),
        ({"kind": "sideways"}, "Input should be"),
        ({"window": 3}, "Extra inputs"),
    ],
)
def test_contradictions_are_told(fields, message):
    with pytest.raises(ValidationError, match=message):
        SplitConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "mode", "history", "window"),
    [
        ({}, "before", 200, 100),
        ({"kind": "random"}, "rest", 1000, 1000),
        ({"kind": "leave_last_n"}, "before", 1000, 100),
        ({"kind": "temporal", "history": "rest", "history_length": 7}, "rest", 7, 1000),
        ({"kind": "predefined", "train": "a", "eval": "b"}, "before", 200, 100),
    ],
)
def test_lengths_follow_the_kind(fields, mode, history, window):
    config = SplitConfig(**fields)
    assert config.history_mode(eval_after_train=True) == mode
    assert config.history_limit(mode) == history
    assert config.window_limit(mode) == window
