"""An exported model of a few movies, with users whose histories it stores."""

import dataclasses

import numpy as np
import pytest

from components.exported.stored import StoredUsers

GENRES = [[b"Drama"], [b"Comedy", b"Drama"], []]


@pytest.fixture(scope="package")
def stored():
    """u0 has three events, u1 none, and new (a stranger to training) two."""
    return StoredUsers(
        [b"u0", b"u1", b"new"],
        np.array([[1, 0], [2, 1], [0, 1]], np.int32),
        np.array([0, 3, 3, 5]),
        np.array([2, 7, 4, 1, 9], np.int32),
        np.array([4.0, 1.5, 5.0, 3.0, 3.5], np.float32),
    )


@pytest.fixture(scope="package")
def valued_facts(make_facts):
    """Facts with genres and years as text: movie i is from 1990 + i, every third without genre."""
    values = {
        "genres": [GENRES[i % 3] for i in range(12)],
        "year": [[b"%d" % (1990 + i)] if i else [] for i in range(12)],
    }
    titles = [b"Film %d" % i for i in range(11)] + [b"Film 10"]
    return dataclasses.replace(make_facts(), values=values, movie_titles=titles)
