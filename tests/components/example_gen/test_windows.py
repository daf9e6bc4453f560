"""Timelines, windows, histories and their bytes, by properties on arrays."""

import itertools

import numpy as np
import pyarrow as pa
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen import windows, wire
from components.example_gen.splits import EVAL, TRAIN, VALID
from components.example_gen.timeline import order_rows, user_numbers

ratings = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "ü", "a long id"]),  # user
        st.sampled_from(["7", "8", "9", "10"]),  # movie
        st.sampled_from([1.0, 2.0]),
        st.integers(0, 3),  # time
    ),
    max_size=40,
)
timelines = st.lists(
    st.lists(st.sampled_from([TRAIN, VALID, EVAL]), min_size=1, max_size=12), min_size=1, max_size=5
)


def _table(rows, times=True):
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return pa.table(
        {
            "user_id": pa.array(columns[0], pa.string()),
            "movie_id": pa.array(columns[1], pa.string()),
            "rating": pa.array(columns[2], pa.float32()),
            "timestamp": pa.array(columns[3] if times else [None] * len(rows), pa.int64()),
            "order": pa.array(range(len(rows)), pa.int64()),
        }
    )


def _users(timelines):
    users = np.repeat(np.arange(len(timelines)), [len(line) for line in timelines])
    return users, np.array([code for line in timelines for code in line], np.int8)


@given(ratings, st.integers(0, 3))
def test_timelines_keep_the_last_rating_of_each_pair(rows, seed):
    kept, _repeats = order_rows(_table(rows), seed)
    latest = {}
    for order, (user, movie, rating, time) in sorted(
        enumerate(rows), key=lambda r: (r[1][3], r[0])
    ):
        latest[user, movie] = (rating, time, order)
    found = kept.to_pylist()
    assert {
        (r["user_id"], r["movie_id"]): (r["rating"], r["timestamp"], r["order"]) for r in found
    } == latest
    assert len(found) == len(latest)
    for before, after in itertools.pairwise(found):
        if before["user_id"] == after["user_id"]:
            assert (before["timestamp"], before["order"]) < (after["timestamp"], after["order"])
    numbers = user_numbers(kept["user_id"])
    assert len(set(numbers.tolist())) == len({r["user_id"] for r in found})


@given(ratings)
def test_repeats_are_told_apart(rows):
    kept, repeats = order_rows(_table(rows), 0)
    assert len(kept) + len(repeats.exact) + len(repeats.superseded) == len(rows)
    for index in repeats.exact:
        assert rows[index] in rows[index + 1 :]
    for index in repeats.superseded:
        assert rows[index] not in rows[index + 1 :]


@given(ratings, st.randoms())
def test_timelines_do_not_depend_on_the_layout(rows, random):
    table = _table(rows)
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    assert order_rows(table, 5)[0] == order_rows(table.take(pa.array(shuffled, pa.int64())), 5)[0]


@given(ratings)
def test_without_timestamps_the_order_is_a_seeded_hash(rows):
    kept, _ = order_rows(_table(rows, times=False), 1)
    backwards = _table(rows[::-1], times=False)
    names = ["user_id", "movie_id"]
    assert kept.select(names) == order_rows(backwards, 1)[0].select(names)


@given(timelines, st.integers(1, 5))
def test_each_train_rating_is_a_target_once(lines, length):
    users, split = _users(lines)
    rows, offsets = windows.train_windows(users, split, length)
    assert rows.tolist() == np.flatnonzero(split == TRAIN).tolist()
    assert offsets[0] == 0 and offsets[-1] == len(rows)
    seen = set()
    for begin, end in itertools.pairwise(offsets):
        owner = set(users[rows[begin:end]].tolist())
        assert len(owner) == 1 and 1 <= end - begin <= length
        # Only the last window of a user may be short.
        if end - begin < length:
            assert not owner & seen
            assert end == len(rows) or users[rows[end]] != owner.copy().pop()
        seen |= owner if end - begin < length else set()


@given(timelines, st.integers(1, 5), st.sampled_from([VALID, EVAL]), st.integers(1, 9))
def test_history_before_is_what_came_earlier(lines, limit, code, pieces):
    users, split = _users(lines)
    targets, histories, seen = _targets(users, split, code, limit, "before", pieces)
    assert targets == np.flatnonzero(split == code).tolist()
    for target, history, older in zip(targets, histories, seen, strict=True):
        earlier = [row for row in range(target) if users[row] == users[target]]
        assert history == earlier[-limit:] and older + history == earlier


@given(timelines, st.integers(1, 5), st.sampled_from([VALID, EVAL]), st.integers(1, 9))
def test_history_rest_is_train_only(lines, limit, code, pieces):
    users, split = _users(lines)
    targets, histories, seen = _targets(users, split, code, limit, "rest", pieces)
    assert targets == np.flatnonzero(split == code).tolist()
    for target, history, older in zip(targets, histories, seen, strict=True):
        own = np.flatnonzero((users == users[target]) & (split == TRAIN)).tolist()
        assert history == own[-limit:] and older + history == own
        assert target not in history


@given(timelines, st.integers(1, 4), st.integers(1, 9))
def test_pieces_together_are_all_windows(lines, length, size):
    users, split = _users(lines)
    whole = [*windows.train_examples(users, split, length, 1 << 30)]
    parts = [*windows.train_examples(users, split, length, size)]
    assert _flat(parts) == _flat(whole)


@given(
    st.lists(
        st.tuples(
            st.lists(st.text(max_size=200), max_size=3),
            st.lists(st.floats(width=32, allow_nan=False), max_size=3),
            st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=40),
        ),
        max_size=6,
    )
)
def test_bytes_are_those_of_the_deterministic_serialiser(examples):
    columns = {
        "text": (pa.string(), [row[0] for row in examples]),
        "a_float": (pa.float32(), [row[1] for row in examples]),
        "number": (pa.int64(), [row[2] for row in examples]),
    }
    got = wire.serialise({name: _ragged(*column) for name, column in columns.items()})
    assert got == [_expected(*row) for row in examples]


def _targets(users, split, code, limit, mode, size):
    parts = [*windows.target_examples(users, split, code, limit, mode, size)]
    return [t for part in parts for t in part.targets.tolist()], *_flat(parts)[1:]


def _flat(parts):
    targets, histories, seen = [], [], []
    for part in parts:
        for found, rows, offsets in (
            (targets, part.targets, part.target_offsets),
            (histories, part.histories, part.history_offsets),
            (seen, part.seen, part.seen_offsets),
        ):
            found += [rows[a:b].tolist() for a, b in itertools.pairwise(offsets)]
    return targets, histories, seen


def _ragged(kind, lists):
    flat = [value for values in lists for value in values]
    offsets = np.concatenate([[0], np.cumsum([len(values) for values in lists])]).astype(np.int64)
    return wire.to_pieces(pa.array(flat, kind)), np.arange(len(flat)), offsets


def _expected(text, floats, numbers):
    feature = {
        "text": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[value.encode() for value in text])
        ),
        "a_float": tf.train.Feature(float_list=tf.train.FloatList(value=floats)),
        "number": tf.train.Feature(int64_list=tf.train.Int64List(value=numbers)),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)
