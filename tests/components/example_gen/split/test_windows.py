"""Timelines, windows, histories and their bytes, by properties on arrays."""

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.split import windows
from components.example_gen.split.splits import EVAL, TRAIN, VALID
from components.example_gen.split.timeline import moment_starts, order_rows
from components.example_gen.write import wire

ratings = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "ü", "a long id"]),  # user
        st.sampled_from(["7", "8", "9", "10"]),  # movie
        st.sampled_from([1.0, 2.0]),
        st.integers(0, 3),  # time
    ),
    max_size=40,
)
# Of each rating its split, and whether it is of a later moment than the one before it.
events = st.tuples(st.sampled_from([TRAIN, VALID, EVAL]), st.booleans())
timelines = st.lists(st.lists(events, min_size=1, max_size=12), min_size=1, max_size=5)


def _table(rows, times=True):
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return pa.table(
        {
            "user_id": pa.array(columns[0], pa.string()),
            "movie_id": pa.array(columns[1], pa.string()),
            "rating": pa.array(columns[2], pa.float32()),
            "timestamp": pa.array(columns[3] if times else [None] * len(rows), pa.int64()),
            "given": pa.array([TRAIN] * len(rows), pa.int8()),
            "order": pa.array(range(len(rows)), pa.int64()),
        }
    )


def _users(timelines):
    users = np.repeat(np.arange(len(timelines)), [len(line) for line in timelines])
    return users, np.array([code for line in timelines for code, _ in line], np.int8)


def _starts(timelines):
    starts: list[int] = []
    row = 0
    for line in timelines:
        for place, (_, later) in enumerate(line):
            starts.append(row if later or not place else starts[-1])
            row += 1
    return np.array(starts)


@given(ratings, st.integers(0, 3))
def test_timelines_keep_a_newest_rating_of_each_pair(rows, seed):
    found = order_rows(_table(rows), seed)[0].to_pylist()
    newest: dict[tuple[str, str], int] = {}
    for user, movie, _, time in rows:
        newest[user, movie] = max(time, newest.get((user, movie), time))
    assert {(r["user_id"], r["movie_id"]): r["timestamp"] for r in found} == newest
    assert len(found) == len(newest)
    told = {(r["user_id"], r["movie_id"], r["rating"], r["timestamp"]) for r in found}
    assert told <= set(rows)
    for before, after in itertools.pairwise(found):
        if before["user_id"] == after["user_id"]:
            assert before["timestamp"] <= after["timestamp"]
    users = [r["user_id"] for r in found]
    assert len(set(users)) == len(list(itertools.groupby(users)))


@given(ratings)
def test_repeats_are_told_apart(rows):
    kept, repeats = order_rows(_table(rows), 0)
    assert len(kept) + len(repeats.exact) + len(repeats.superseded) == len(rows)
    stays = set(kept["order"].to_pylist())
    gone = {*repeats.exact.tolist(), *repeats.superseded.tolist()}
    assert stays | gone == set(range(len(rows)))
    for index in repeats.exact:  # a twin stays, or is the one of its kind that was replaced
        assert any(rows[other] == rows[index] for other in {*stays, *repeats.superseded.tolist()})
    for index in repeats.superseded:
        assert not any(rows[other] == rows[index] for other in stays)


@given(ratings, st.permutations([TRAIN, EVAL]))
def test_of_one_moment_the_rating_of_evals_file_stays(rows, files):
    table = _table([*rows, *[(u, m, 3.0 - r, t) for u, m, r, t in rows]])
    given_by_file = pa.array(np.repeat(files, len(rows)), pa.int8())
    place = table.column_names.index("given")
    kept, _ = order_rows(table.set_column(place, "given", given_by_file), 1)
    assert set(kept["given"].to_pylist()) <= {EVAL}


@given(ratings)
def test_moments_begin_at_their_first_row(rows):
    kept, _ = order_rows(_table(rows), 2)
    moments = list(zip(kept["user_id"].to_pylist(), kept["timestamp"].to_pylist(), strict=True))
    assert moment_starts(kept).tolist() == [moments.index(moment) for moment in moments]
    untimed, _ = order_rows(_table(rows, times=False), 2)
    assert moment_starts(untimed).tolist() == list(range(len(untimed)))


@given(ratings, st.randoms(), st.booleans())
def test_the_order_of_lines_decides_nothing(rows, random, times):
    shuffled = random.sample(rows, len(rows))
    one, other = (order_rows(_table(lines, times), 5)[0] for lines in (rows, shuffled))
    assert one.drop(["order"]) == other.drop(["order"])


def test_the_order_within_a_moment_is_drawn_anew_for_each_user_and_seed():
    rows = [(f"u{n}", movie, 1.0, 0) for n in range(200) for movie in ("7", "8")]
    first = [r["movie_id"] for r in order_rows(_table(rows), 0)[0].to_pylist()][::2]
    assert 70 < first.count("7") < 130
    kept = {seed: order_rows(_table(rows), seed)[0].sort_by("user_id") for seed in (0, 1)}
    orders = [[r["movie_id"] for r in table.to_pylist()] for table in kept.values()]
    assert orders[0] != orders[1]


@given(timelines, st.integers(1, 5))
def test_each_train_rating_is_a_target_once(lines, length):
    users, split = _users(lines)
    rows, offsets = windows.tiles(users, split, TRAIN, length)
    assert rows.tolist() == np.flatnonzero(split == TRAIN).tolist()
    assert offsets[0] == 0 and offsets[-1] == len(rows)
    seen: set[Any] = set()
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
    (users, split), starts = _users(lines), _starts(lines)
    targets, histories, seen = _targets(users, split, starts, code, limit, "before", pieces)
    assert targets == np.flatnonzero(split == code).tolist()
    for target, history, others in zip(targets, histories, seen, strict=True):
        own = [row for row in range(len(users)) if users[row] == users[target]]
        earlier = [row for row in own if starts[row] < starts[target]]
        company = [row for row in own if starts[row] == starts[target] and split[row] < code]
        assert history == earlier[-limit:]
        assert others == earlier[:-limit] + company


@given(timelines, st.integers(1, 5), st.sampled_from([VALID, EVAL]), st.integers(1, 9))
def test_history_rest_is_all_in_earlier_splits(lines, limit, code, pieces):
    users, split = _users(lines)
    targets, histories, seen = _targets(users, split, _starts(lines), code, limit, "rest", pieces)
    assert targets == np.flatnonzero(split == code).tolist()
    for target, history, older in zip(targets, histories, seen, strict=True):
        own = np.flatnonzero((users == users[target]) & (split < code)).tolist()
        assert history == own[-limit:] and older + history == own
        assert target not in history


@given(timelines, st.integers(1, 4), st.integers(1, 9))
def test_pieces_together_are_all_windows(lines, length, size):
    users, split = _users(lines)
    whole = [*windows.tiled_examples(users, split, TRAIN, length, 1 << 30)]
    parts = [*windows.tiled_examples(users, split, TRAIN, length, size)]
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


def _targets(users, split, starts, code, limit, mode, size):
    parts = [*windows.target_examples(users, split, starts, code, limit, mode, size)]
    return [t for part in parts for t in part.targets.tolist()], *_flat(parts)[1:]


def _flat(parts):
    targets: list[Any] = []
    histories: list[Any] = []
    seen: list[Any] = []
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
