"""The windows of train, or of train and valid together: nobody's are read twice."""

import pytest
import tensorflow as tf

from components.trainer.window_files import WindowFiles, replaced_users


@pytest.fixture(scope="module")
def files(example, write_records, tmp_path_factory):
    """Two shards of train, and those of b, d and e, who have ratings in valid; e has no others."""
    folder = tmp_path_factory.mktemp("windows")

    def shard(name, windows):
        rows = [
            example(user_id=user, movie_id=list(movies), rating=[1.0] * len(movies))
            for user, movies in windows
        ]
        return write_records(folder / name, rows)

    train = [
        shard("train-0", [("a", "12"), ("b", "34"), ("b", "5")]),
        shard("train-1", [("c", "67"), ("d", "8")]),
    ]
    both = [shard("both-0", [("b", "34"), ("b", "59")]), shard("both-1", [("d", "81"), ("e", "2")])]
    return WindowFiles(train, both)


def _windows(files):
    found = []
    for written in files.serialized():
        features = tf.train.Example.FromString(written.numpy()).features.feature
        (user,) = features["user_id"].bytes_list.value
        found.append((user.decode(), b"".join(features["movie_id"].bytes_list.value).decode()))
    return found


def test_train_alone_is_as_it_is(files):
    expected = [("a", "12"), ("b", "34"), ("b", "5"), ("c", "67"), ("d", "8")]
    assert _windows(WindowFiles(files.train)) == expected


def test_windows_of_both_take_the_place_of_their_users(files):
    assert replaced_users(files.both) == [b"b", b"d", b"e"]
    expected = [("a", "12"), ("c", "67"), ("b", "34"), ("b", "59"), ("d", "81"), ("e", "2")]
    assert _windows(files) == expected


def test_shards_are_chosen_of_both_alike(files):
    assert _windows(files.shards([1])) == [("c", "67"), ("d", "81"), ("e", "2")]
    assert _windows(files.shards([0, 1])) == _windows(files)
    assert _windows(WindowFiles(files.train).shards([1])) == [("c", "67"), ("d", "8")]


def test_without_ratings_in_valid_nothing_is_replaced(files, write_records, tmp_path):
    empty = [write_records(tmp_path / f"both-{number}", []) for number in range(2)]
    assert replaced_users(empty) == []
    assert _windows(WindowFiles(files.train, empty)) == _windows(WindowFiles(files.train))
