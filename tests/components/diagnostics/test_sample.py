"""Rows drawn from a split: each with the same chance, whatever file and place it is in."""

import numpy as np
import pytest

from components.diagnostics.sample import sample


@pytest.fixture(scope="module")
def files(write_records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    names = [[b"a%d" % i for i in range(8)], [b"b%d" % i for i in range(4)]]
    return [write_records(folder / str(i), own) for i, own in enumerate(names)], names[0] + names[1]


def test_every_row_has_the_same_chance(files):
    paths, names = files
    rng, times = np.random.default_rng(6), 400
    drawn = [sample(paths, 3, rng).tolist() for _ in range(times)]
    assert all(len(set(own)) == 3 for own in drawn)
    shares = [sum(name in own for own in drawn) / times for name in names]
    np.testing.assert_allclose(shares, 3 / 12, atol=0.08)


def test_there_are_no_more_rows_than_the_files_hold(files):
    paths, names = files
    assert sorted(sample(paths, 50, np.random.default_rng(0))) == sorted(names)
    assert len(sample(paths, 0, np.random.default_rng(0))) == 0
    assert len(sample([], 5, np.random.default_rng(0))) == 0


def test_the_seed_decides(files):
    first, again, other = (
        sample(files[0], 4, np.random.default_rng(seed)).tolist() for seed in (1, 1, 2)
    )
    assert first == again != other
