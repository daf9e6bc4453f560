"""Small data made by hand: ratings, users and movies, counted as a partition is.

Times are in seconds here.
"""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

MOVIE_FEATURES = ("year", "genres", "director", "star")
LABELS = {"director": "director", "star": "star", "gender": "gender", "age": "age group",
          "occupation": "occupation"}  # fmt: skip
SPLITS = ("train", "valid", "eval")
SCALE = (1.0, 5.0)


@pytest.fixture(scope="session")
def make_partition():
    """A partition of ratings: (user, movie, rating, time or None, split)."""
    from components.explore.reading import Partition

    def make(ratings, users=None):
        names = list(dict.fromkeys(user for user, *_ in ratings))
        columns = {
            "user": pa.array([names.index(row[0]) for row in ratings], pa.int32()),
            "movie": pa.array([row[1] for row in ratings], pa.int32()),
            "split": pa.array([SPLITS.index(row[4]) for row in ratings], pa.int8()),
            "rating": pa.array([row[2] for row in ratings], pa.float64()),
        }
        if all(row[3] is not None for row in ratings):
            columns["timestamp"] = pa.array([row[3] * 1_000_000 for row in ratings], pa.int64())
        people = {"user_id": [name.encode() for name in names]}
        for feature in sorted({key for own in (users or {}).values() for key in own}):
            people[feature] = [users[name][feature].encode() for name in names]
        binary = {name: pa.array(values, pa.large_binary()) for name, values in people.items()}
        return Partition(pa.table(columns), pa.table(binary), pa.table({}))

    return make


def _size(ratings, split):
    """What rows.json tells of a split."""
    moments = Counter((user, time) for user, _, _, time, _ in ratings if time is not None)
    own = [row for row in ratings if row[4] == split]
    return {"ratings": len(own), "tied": sum(moments[row[0], row[3]] > 1 for row in own)}


@pytest.fixture(scope="session")
def make_catalogue():
    """Movies 'Film 0', 'Film 1' and so on; features by name, as their source has them."""
    from components.examples.catalogue import Catalogue

    text = pa.large_binary()

    def known(value):
        values = value if isinstance(value, list) else [value]
        return [str(one).encode() for one in values if one not in ("", 0)]

    def make(movies, titles=None, **columns):
        titles = titles or [f"Film {i}" for i in range(movies)]
        features = {name: columns[name] for name in MOVIE_FEATURES if name in columns}
        return Catalogue(
            ids=pa.array([b"m%d" % i for i in range(movies)], text),
            titles=pa.array([title.encode() for title in titles], text),
            features={
                name: pa.array(list(map(known, values)), pa.list_(text))
                for name, values in features.items()
            },
        )

    return make


@pytest.fixture(scope="session")
def make_explored(make_partition, make_catalogue):
    """What was counted of ratings and movies; the titles are 'Film 0', 'Film 1' and so on."""
    from components.explore.content import Explored
    from components.explore.cubes import count

    def make(ratings, users=None, movies=None, dropped=None, scale=SCALE, **columns):
        movies = movies or max(row[1] for row in ratings) + 1
        rows: Any = {
            "read": len(ratings) + sum((dropped or {}).values()),
            "kept": len(ratings),
            "dropped": dropped or {},
            "splits": {name: _size(ratings, name) for name in SPLITS},
            "tables_dropped": {},
            "samples": [],
        }
        cubes = count(make_partition(ratings, users), scale)
        return Explored(
            cubes, make_catalogue(movies, **columns), rows, {}, scale, LABELS, ["genres"]
        )

    return make


@pytest.fixture(scope="session")
def drawn_ratings():
    """Seeded ratings of 60 users and 40 movies over five years, split by time."""
    rng = np.random.default_rng(3)
    rows = []
    for user in range(60):
        start = 1_000_000_000 + int(rng.integers(0, 4 * 365)) * 86_400
        for movie in rng.choice(40, rng.integers(1, 30), replace=False):
            time = start + int(rng.integers(0, 400 * 86_400))
            rating = float(rng.integers(2, 11)) / 2
            rows.append((f"u{user}", int(movie), rating, time))
    rows.sort(key=lambda row: row[3])
    cuts = len(rows) * 8 // 10, len(rows) * 9 // 10
    split = lambda i: SPLITS[(i >= cuts[0]) + (i >= cuts[1])]  # noqa: E731
    return [(*row, split(i)) for i, row in enumerate(rows)]
