"""Counts the events of train: by rating, by user and by movie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.examples.arrow import filled
from components.examples.catalogue import Catalogue, read_catalogue
from components.examples.tables import add_up, tables, targets_per_user
from schemas.features import GENRES


@dataclass(frozen=True)
class Activity:
    """Counts of train.

    ratings: rating to how often it was given.
    per_user, per_movie: int64, events of each user and of each movie that has any, rated or not.
    movies: bytes, the movies of `per_movie`, aligned.
    """

    ratings: dict[float, int]
    per_user: NDArray[Any]
    per_movie: NDArray[Any]
    movies: list[bytes]


@dataclass(frozen=True)
class Movies:
    """What is known of the catalogue's movies.

    counts: float64 [movies], train ratings of each.
    users: how many users train has.
    genres: bool [movies, genres]; no columns where the source has none.
    """

    counts: NDArray[Any]
    users: int
    genres: NDArray[Any]


def count_train(files: Sequence[str]) -> Activity:
    """Counts the events of train by rating, user and movie in one streamed pass."""
    values, users, movies = [], [], []
    for examples in tables(files, ("user_id", "movie_id", "rating")):
        users.append(targets_per_user(examples))
        if "rating" in examples.column_names:
            ratings = pc.list_flatten(examples["rating"])
            values.append(_counts(ratings.filter(pc.invert(pc.is_nan(ratings)))))
        movies.append(_counts(pc.list_flatten(examples["movie_id"])))
    by_user, by_movie = add_up(users), add_up(movies)
    by_value = zip(*(x.to_pylist() for x in add_up(values)), strict=True) if values else ()
    return Activity(
        dict(sorted(by_value)),
        by_user[1].to_numpy(),
        by_movie[1].to_numpy(),
        filled(by_movie[0]),
    )


def _counts(values: pa.ChunkedArray) -> pa.Table:
    counted = pc.value_counts(values)
    return pa.table({"key": counted.field("values"), "n": counted.field("counts")})


def read_movies(catalogue: Sequence[str], train: Sequence[str]) -> tuple[Catalogue, Movies]:
    """Reads the catalogue, and counts train by its movies.

    Args:
      catalogue, train: TFRecord files.
    """
    movies, activity = read_catalogue(catalogue, [GENRES]), count_train(train)
    counts = np.zeros(len(movies))
    rated = pc.index_in(pa.array(activity.movies, movies.ids.type), value_set=movies.ids)
    counts[rated.to_numpy().astype(np.int64)] = activity.per_movie
    return movies, Movies(counts, len(activity.per_user), _genre_marks(movies))


def _genre_marks(movies: Catalogue) -> NDArray[np.bool_]:
    """Which movie has which genre, genres in alphabetical order: [movies, genres]."""
    rows, given = movies.known(GENRES)
    names = pc.unique(given)
    names = names.take(pc.sort_indices(names))
    marks = np.zeros([len(movies), len(names)], bool)
    marks[rows, pc.index_in(given, value_set=names).to_numpy()] = True
    return marks


def tenths(counts: NDArray[Any]) -> NDArray[np.float32]:
    """The tenth of the rated movies that each belongs to: 1 the most rated, 0 never rated.

    Args:
      counts: float64 [movies], train ratings of each.

    Returns:
      float32 [movies]. Movies rated equally often go by their row.
    """
    rated = int((counts > 0).sum())
    tenth = np.zeros(len(counts), np.float32)
    most_first = np.argsort(-counts, kind="stable")[:rated]
    tenth[most_first] = 1 + np.arange(rated) * 10 // max(rated, 1)
    return tenth
