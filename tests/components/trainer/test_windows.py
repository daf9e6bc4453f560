"""The train windows: nothing lost, nothing twice, and an order that the seed alone decides."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.examples.records import serialized
from components.model.parsing import Lookup, table
from components.model.window import moments
from components.trainer import windows

LOOKUP = Lookup(
    table([b"m%d" % i for i in range(40)], -1),
    table([b"u%d" % i for i in range(30)], 30),
    {"gender": table([b"F", b"M"], 2)},
)


def _write(example, write_records, path, lengths):
    """One window per length; a rating's value tells window and place apart."""
    examples = [
        example(
            user_id=f"u{number}",
            gender="F",
            movie_id=[f"m{(number + i) % 40}" for i in range(length)],
            rating=[number + i / 1024 for i in range(length)],
        )
        for number, length in enumerate(lengths)
    ]
    return write_records(path, examples)


def _epoch(files, positions=64, longest=100, seed=1):
    return list(windows.windows(serialized(files), LOOKUP, positions, longest, seed))


def _events(batches):
    """Counts (user, movie, rating) over all that is present."""
    found: Counter[tuple[int, int, float]] = Counter()
    for batch in batches:
        user, _, movie, rating, present, *_ = (tensor.numpy() for tensor in batch)
        for row, place in zip(*np.nonzero(present), strict=True):
            found[int(user[row]), int(movie[row, place]), float(rating[row, place])] += 1
    return found


def _expected(lengths):
    return Counter(
        (number, (number + i) % 40, number + i / 1024)
        for number, length in enumerate(lengths)
        for i in range(length)
    )


@settings(max_examples=12)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=30),
    st.integers(1, 90),
    st.integers(0, 2),
)
def test_every_rating_once_an_epoch_in_as_many_batches_as_foretold(
    example, write_records, tmp_path_factory, lengths, positions, room
):
    path = tmp_path_factory.mktemp("windows") / "train.gz"
    longest = max(lengths) + room
    files = [_write(example, write_records, path, lengths)]
    batches = _epoch(files, positions, longest)
    assert _events(batches) == _expected(lengths)
    assert windows.steps_per_epoch(Counter(lengths), positions, longest) == len(batches)
    for batch in batches:
        assert batch.movie.shape == batch.rating.shape == batch.present.shape
        assert batch.movie.shape[0] * batch.movie.shape[1] <= max(positions, longest)


@given(
    st.dictionaries(st.integers(1, 1000), st.integers(1, 5000), max_size=20), st.integers(1, 4096)
)
def test_steps_follow_from_the_bucket_sizes(lengths, positions):
    """Counted once more, bucket by bucket, without the code's own bucket search."""
    bounds, sizes = windows.batch_sizes(positions, 1000)
    steps, low = 0, 0
    for bound, size in zip(bounds, sizes, strict=True):
        held = sum(count for length, count in lengths.items() if low <= length < bound)
        steps, low = steps + -(-held // size), bound
        assert size == 1 or size * (bound - 1) <= positions
    assert windows.steps_per_epoch(lengths, positions, 1000) == steps


@pytest.fixture(scope="module")
def files(example, write_records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    lengths = [3, 12, 25, 1, 9, 10, 11, 2, 5, 30] * 3
    return [_write(example, write_records, folder / "a.gz", lengths)]


def test_padding_comes_last_and_is_zero(files):
    for batch in _epoch(files):
        present = batch.present.numpy()
        assert (np.diff(present, axis=1) <= 0).all() and present[:, 0].all()
        assert not batch.movie.numpy()[present == 0].any()
        assert not batch.rating.numpy()[present == 0].any()


def test_windows_keep_the_users_order(files):
    for batch in _epoch(files):
        for row in range(batch.movie.shape[0]):
            places = batch.rating.numpy()[row][batch.present.numpy()[row] > 0] % 1 * 1024
            np.testing.assert_array_equal(places, np.arange(len(places)))


def test_the_order_depends_on_the_seed_alone(files):
    def order(seed):
        return [batch.user.numpy().tolist() for batch in _epoch(files, seed=seed)]

    first = order(5)
    tf.random.uniform([7])  # other draws in between must not matter
    assert order(5) == first
    assert order(6) != first
    assert sorted(chain(*order(6))) == sorted(chain(*first))


def test_several_files_are_one_epoch(example, write_records, tmp_path):
    files = [
        _write(example, write_records, tmp_path / "a.gz", [2, 3]),
        _write(example, write_records, tmp_path / "b.gz", [4]),
    ]
    assert sum(_events(_epoch(files)).values()) == 9


@given(st.lists(st.integers(0, 3), max_size=20).map(sorted))
def test_moments_begin_at_their_first_event(times):
    found = moments(tf.constant(times, tf.int64)).numpy()
    assert found.tolist() == [times.index(time) for time in times]


@pytest.mark.parametrize("timed", [True, False])
def test_windows_say_which_events_share_a_moment(example, write_records, tmp_path, timed):
    day = 1_600_000_000_000_000  # a microsecond apart is another moment
    times = {"timestamp": [day, day, day + 1, day + 2, day + 2]} if timed else {}
    movies = [f"m{i}" for i in range(5)]
    one = example(user_id="u0", movie_id=movies, rating=[1.0] * 5, **times)
    other = example(user_id="u1", movie_id=["m9"], rating=[1.0],
                    **({"timestamp": [day]} if timed else {}))  # fmt: skip
    (batch,) = _epoch([write_records(tmp_path / "train.gz", [one, other])])
    found = {int(user): row for user, row in zip(batch.user, batch.moment.numpy(), strict=True)}
    assert found[0].tolist() == ([0, 0, 2, 3, 3] if timed else [0, 1, 2, 3, 4])
    assert found[1][0] == 0
