"""Writes any number of ratings in MovieLens form, with popularity and activity as skewed as there.

python -m benchmarks.synthetic OUT_DIR [--ratings 1000000] [--movies N] [--seed 42] [--form latest]

The form `latest` is that of ratings.csv and movies.csv; `1m` that of ratings.dat, movies.dat and
users.dat, with whole stars and each user's gender, age and occupation.
"""

import argparse
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

Int64s = npt.NDArray[np.int64]

_AT_ONCE = 10_000_000  # ratings drawn together, in some 2 GB
_FIRST_SECOND, _LAST_SECOND = 850_000_000, 1_700_000_000
_GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Romance", "Sci-Fi", "Thriller")


def activity(ratings: int, rng: np.random.Generator) -> Int64s:
    """How many ratings each user gives: log-normal, at least 20, as MovieLens has it. [users]."""
    users = max(1, ratings // 155)
    drawn = 20 + rng.lognormal(3.9, 1.3, users)
    counts = np.maximum(20, np.floor(drawn * ratings / drawn.sum())).astype(np.int64)
    counts[np.argmax(counts)] += ratings - counts.sum()
    return cast(Int64s, counts if counts.min() > 0 else np.array([ratings]))


def times(counts: Int64s, rng: np.random.Generator) -> Int64s:
    """When each rating is given: some sessions per user, seconds apart within one. [ratings]."""
    users = np.repeat(np.arange(len(counts)), counts)
    starts = rng.random(len(users)) < 1 / 40
    starts[np.cumsum(counts) - counts] = True
    session = np.cumsum(starts) - 1
    joined = rng.uniform(_FIRST_SECOND, _LAST_SECOND, len(counts))
    patience = rng.exponential(120 * 86_400, session[-1] + 1)
    begins = joined[users[starts]] + patience * (rng.random(session[-1] + 1) < 0.5)
    pauses = np.cumsum(rng.integers(2, 30, len(users)))
    within = pauses - pauses[starts][session]
    return np.minimum(begins[session] + within, _LAST_SECOND).astype(np.int64)


def movies_rated(counts: Int64s, movies: int, rng: np.random.Generator) -> Int64s:
    """Which movie each rating is of, by a Zipf-like popularity, none twice by one user. [ratings].

    Each user draws from the popular end with replacement; repeats move on to the next free movie.
    """
    weights = 1 / (np.arange(movies) + 30.0) ** 1.15
    edges = np.cumsum(weights) / weights.sum()
    owners = np.repeat(np.arange(len(counts)), counts)
    drawn = np.minimum(np.searchsorted(edges, rng.random(len(owners))), movies - 1)
    order = np.lexsort((drawn, owners))
    owners, drawn = owners[order], drawn[order]
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    place = np.arange(len(drawn)) - begins
    # Within a user, the least strictly increasing sequence that is nowhere below what was drawn.
    lifted = drawn - place + owners * (2 * movies)
    lifted = np.maximum.accumulate(lifted) - owners * (2 * movies) + place
    total = np.repeat(counts, counts)
    chosen = np.minimum(lifted, movies - total + place)
    shuffled = np.lexsort((rng.random(len(owners)), owners))
    return cast(Int64s, chosen[shuffled])


def default_movies(ratings: int) -> int:
    """How many movies so many ratings are of, if nothing else is asked for."""
    return min(60_000, max(2000, ratings // 60))


def draw(
    ratings: int, movies: int, rng: np.random.Generator, names: Int64s | None = None
) -> tuple[pa.Table, Int64s]:
    """Draws userId, movieId, rating and timestamp.

    Args:
      ratings: how many.
      movies: how many there are at least; nobody rates more than there are.
      rng: draws.
      names: ids of the movies, the most popular first (default: they are drawn).

    Returns:
      The ratings, and the ids of all movies.
    """
    counts = activity(ratings, rng)
    movies = max(movies, int(counts.max()))
    if names is not None:
        movies, counts = len(names), np.minimum(counts, len(names))
    chosen = movies_rated(counts, movies, rng)
    quality = rng.normal(3.5, 0.5, movies)[chosen]
    kindness = np.repeat(rng.normal(0, 0.4, len(counts)), counts)
    given = np.clip(
        np.round((quality + kindness + rng.normal(0, 0.8, len(chosen))) * 2) / 2, 0.5, 5
    )
    if names is None:
        names = rng.permutation(movies) + 1
    columns = {
        "userId": np.repeat(np.arange(len(counts)) + 1, counts),
        "movieId": names[chosen],
        "rating": given,
        "timestamp": times(counts, rng),
    }
    return pa.table(columns), names


def write(folder: Path, ratings: int, movies: int | None = None, seed: int = 42) -> None:
    """Writes ratings.csv and movies.csv; the same seed writes the same bytes.

    More than `_AT_ONCE` ratings are drawn in parts, each of users of its own.
    """
    rng, users, names = np.random.default_rng(seed), 0, None
    movies = movies or default_movies(ratings)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ratings.csv").open("wb") as file:
        file.write(b"userId,movieId,rating,timestamp\n")
        for start in range(0, ratings, _AT_ONCE):
            table, names = draw(min(_AT_ONCE, ratings - start), movies, rng, names)
            own = pc.add(table["userId"], users)
            users, movies = own[-1].as_py(), len(names)
            table = table.set_column(0, "userId", own)
            pyarrow.csv.write_csv(table, file, pyarrow.csv.WriteOptions(include_header=False))
    _write_movies(folder / "movies.csv", movies, rng)


def write_1m(folder: Path, ratings: int, movies: int | None = None, seed: int = 42) -> None:
    """Writes ratings.dat, movies.dat and users.dat, as MovieLens 1M has them."""
    rng = np.random.default_rng(seed)
    table, names = draw(ratings, movies or default_movies(ratings), rng)
    stars = np.maximum(1, np.floor(table["rating"].to_numpy())).astype(np.int64)
    table = table.set_column(2, "rating", pa.array(stars))
    users = int(table["userId"][-1].as_py())
    ages, jobs = rng.choice([1, 18, 25, 35, 45, 50, 56], users), rng.integers(0, 21, users)
    people = pa.table(
        {
            "userId": np.arange(users) + 1,
            "gender": np.where(rng.random(users) < 0.7, "M", "F"),
            "age": ages,
            "occupation": jobs,
            "zip": rng.integers(10_000, 99_999, users),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    _write_lines(folder / "ratings.dat", table)
    _write_lines(folder / "users.dat", people)
    _write_lines(folder / "movies.dat", _movie_table(len(names), rng))


def _write_lines(path: Path, table: pa.Table) -> None:
    """Writes the cells of each row with '::' between them."""
    cells = [column.cast(pa.string()).combine_chunks() for column in table.columns]
    lines = pc.binary_join_element_wise(*cells, "::")
    path.write_text("\n".join(lines.to_pylist()) + "\n", encoding="latin-1")


def _movie_table(movies: int, rng: np.random.Generator) -> pa.Table:
    years, picks = rng.integers(1930, 2024, movies), rng.integers(0, len(_GENRES), (movies, 2))
    return pa.table(
        {
            "movieId": np.arange(movies) + 1,
            "title": [f"Film, No. {n} ({year})" for n, year in enumerate(years, start=1)],
            "genres": ["|".join(sorted({_GENRES[a], _GENRES[b]})) for a, b in picks],
        }
    )


def _write_movies(path: Path, movies: int, rng: np.random.Generator) -> None:
    lines = ["movieId,title,genres"]
    for row in _movie_table(movies, rng).to_pylist():
        lines.append(f'{row["movieId"]},"{row["title"]}",{row["genres"]}')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Writes what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--movies", type=int)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--form", choices=["latest", "1m"], default="latest")
    options = parser.parse_args()
    writer = write_1m if options.form == "1m" else write
    writer(options.folder, options.ratings, options.movies, options.seed)


if __name__ == "__main__":
    main()
