"""Rows drawn from a split: each with the same chance, whatever file and place it is in."""

from collections import Counter

import numpy as np
import pytest

from components.diagnostics.sample import sample


@pytest.fixture(scope="module")
def files(write_records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    names = [[b"a%d" % i for i in range(8)], [b"b%d" % i for i in range(4)]]
    return [write_records(folder / str(i), own) for i, own in enumerate(names)], names[0] + names[1]


def test_every_row_has_the_same_chance(write_records, tmp_path):
    """Of places near each other in a file, 400 each, as large a share is drawn as of any others."""
    near = 400
    paths = [
        write_records(tmp_path / name, [b"%s%d" % (name.encode(), i) for i in range(groups * near)])
        for name, groups in (("a", 8), ("b", 4))
    ]
    drawn = sample(paths, 3 * near, np.random.default_rng(6)).tolist()
    assert len(set(drawn)) == 3 * near
    groups = Counter((row[:1], int(row[1:]) // near) for row in drawn)
    assert len(groups) == 12
    np.testing.assert_allclose([count / near for count in groups.values()], 3 / 12, atol=0.08)


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
