"""What the counts say of movies, and of their genres, makers and decades."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.example_gen.split.splits import SPLITS
from components.examples.arrow import filled, grouped
from components.examples.buckets import bucketed, places_of
from components.examples.catalogue import Catalogue
from schemas.features import YEAR
from schemas.text import to_texts

Rows = list[dict[str, Any]]
DECADE = "decade"


@dataclass(frozen=True)
class Totals:
    """Sums per movie, in the catalogue's order.

    counts: int64 [splits, movies], rated or not; levels: int64 [movies, levels], of what was rated
    in all splits, as are sums and squares: float64 [movies].
    """

    counts: NDArray[Any]
    levels: NDArray[Any]
    sums: NDArray[Any]
    squares: NDArray[Any]

    @property
    def ratings(self) -> NDArray[Any]:
        """Ratings of each movie in all splits, those without a value too: int64 [movies]."""
        return self.counts.sum(axis=0)

    @property
    def rated(self) -> NDArray[Any]:
        """How many of them have a value: int64 [movies]."""
        return self.levels.sum(axis=1)

    @property
    def means(self) -> NDArray[Any]:
        """Mean rating, NaN for movies that nobody rated, float64 [movies]."""
        return np.divide(
            self.sums, self.rated, out=np.full(len(self.sums), np.nan), where=self.rated > 0
        )


def totals_of(cube: pa.Table, movies: int, levels: int) -> Totals:
    """Lays the cube `movies` out by movie."""
    keys = ("movie", "split", "level")
    movie, split, level = (cube[name].to_numpy().astype(np.int64) for name in keys)
    n = cube["n"].to_numpy()
    counts = np.bincount(split * movies + movie, n, len(SPLITS) * movies)
    given = level >= 0
    place = movie[given] * levels + level[given]
    by_level = np.bincount(place, n[given], movies * levels)
    sums, squares = (
        np.bincount(movie, cube[name].to_numpy(), movies) for name in ("sum", "squares")
    )
    return Totals(
        counts.reshape([len(SPLITS), movies]).astype(np.int64),
        by_level.reshape([movies, levels]).astype(np.int64),
        sums,
        squares,
    )


def shrunken(totals: Totals) -> tuple[NDArray[Any], float]:
    """Mean ratings drawn to what is usual, the more so the fewer ratings a movie has.

    The empirical credibility estimate of Bühlmann and Straub (1970): (n m + k mu) / (n + k), with k
    the variance of ratings within movies over that of the movies' true means.

    Returns:
      Means (float64 [movies]; the usual one for movies that nobody rated), and k: how many ratings
      weigh as much as what is usual; infinite where movies do not differ beyond chance. Without any
      ratings the means are NaN.
    """
    n, means = totals.rated.astype(float), np.nan_to_num(totals.means)
    rated, total = (n > 0).sum(), n.sum()
    if not total:
        return np.full(len(n), np.nan), float("inf")
    overall = totals.sums.sum() / total
    within = (totals.squares - n * np.square(means)).sum() / max(1.0, total - rated)
    spread = (n * np.square(means - overall)).sum() - (rated - 1) * within
    weight = total - np.square(n).sum() / total
    between = spread / weight if weight > 0 else 0.0
    if between <= 0:
        return np.full(len(n), overall), float("inf")
    k = within / between
    trust = n / (n + k) if k > 0 else (n > 0).astype(float)
    usual = (trust * means).sum() / trust.sum()
    return trust * means + (1 - trust) * usual, float(k)


def movie_rows(
    catalogue: Catalogue, totals: Totals, shrunk: NDArray[Any], order: NDArray[Any], most: int
) -> Rows:
    """The first of the movies that anyone rated, in some order (rows of the catalogue).

    A title that stands for more than one of them is followed by the movie's id.
    """
    rated = order[totals.ratings[order] > 0][:most]
    titles, ids = (
        to_texts(filled(names.take(pa.array(rated)))) for names in (catalogue.titles, catalogue.ids)
    )
    names = [
        f"{title} [{movie}]" if titles.count(title) > 1 else title
        for title, movie in zip(titles, ids, strict=True)
    ]
    return [
        {
            "movie": name,
            "ratings": int(totals.ratings[row]),
            "mean": float(totals.means[row]) if totals.rated[row] else None,
            "shrunken": float(shrunk[row]) if totals.rated.any() else None,
        }
        for row, name in zip(rated.tolist(), names, strict=True)
    ]


def by_feature(catalogue: Catalogue, totals: Totals, name: str) -> Rows:
    """Movies, ratings and mean rating of each value of a feature, the most rated first.

    A movie with several genres counts for each; unknown values are left out. The values of a number
    are its buckets, ascending.
    """
    movie, value = _values(catalogue, name)
    table = pa.table(
        {
            "value": value,
            "movies": np.ones(len(movie), np.int64),
            "ratings": totals.ratings[movie],
            "rated": totals.rated[movie],
            "sum": totals.sums[movie],
        }
    )
    names = ["movies", "ratings", "rated", "sum"]
    added = grouped(table, ["value"], [(column, "sum") for column in names])
    added = added.rename_columns([*names, "value"])
    added = added.sort_by([("ratings", "descending"), ("value", "ascending")])
    if name in catalogue.numbers:
        added = added.take(np.argsort(places_of(filled(added["value"]))))
    return [
        {
            "value": row["value"],
            "movies": row["movies"],
            "ratings": row["ratings"],
            "mean": row["sum"] / row["rated"] if row["rated"] else None,
        }
        for row in added.filter(pc.greater(pc.field("ratings"), 0)).to_pylist()
    ]


def _values(catalogue: Catalogue, name: str) -> tuple[NDArray[Any], pa.Array]:
    """Which movie (row) has which known value (string)."""
    if name in catalogue.numbers:
        rows, values = catalogue.known(name)
        numbers = values.cast(pa.large_string()).cast(pa.float32()).to_numpy()
        return rows, pa.array(bucketed(numbers))
    if name != DECADE:
        rows, values = catalogue.known(name)
        return rows, values.cast(pa.string())
    rows, years = catalogue.known(YEAR)
    decades = years.cast(pa.large_string()).cast(pa.int64()).to_numpy() // 10 * 10
    return rows, pa.array(np.char.add(decades.astype(str), "s"))


def unknown(catalogue: Catalogue) -> dict[str, float]:
    """The share of the movies of which a feature is not known, of each that the catalogue has."""
    return {
        name: 1.0 - len(np.unique(catalogue.known(name)[0])) / len(catalogue)
        for name in catalogue.features
    }


def grouping(catalogue: Catalogue) -> list[str]:
    """The features that the catalogue has, the year by its decade, which is the last."""
    names = [name for name in catalogue.features if name != YEAR]
    return [*names, *([DECADE] if YEAR in catalogue.features else [])]


def rank_curve(totals: Totals, points: int = 80) -> Rows:
    """Ratings by rank of movie, at ranks evenly spread on a log scale."""
    ranked = np.sort(totals.ratings[totals.ratings > 0])[::-1]
    ranks = np.unique(np.geomspace(1, max(1, len(ranked)), points).astype(int))
    return [{"rank": int(r), "ratings": int(ranked[r - 1])} for r in ranks if r <= len(ranked)]
