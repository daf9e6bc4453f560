"""Everything that the page shows, as plain JSON, from the counts, statistics and rows.json."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatistics

from components.evaluation.bands import centres
from components.example_gen.split.splits import SPLITS, TRAIN
from components.examples.catalogue import Catalogue
from components.examples.rows import RowsReport
from components.explore import groups, movies, splits, spread, times
from components.explore.cubes import Cubes
from components.explore.feature_statistics import feature_rows
from components.explore.movies import DECADE, Totals
from components.pages.histograms import histogram
from schemas.features import GENRES
from schemas.text import to_text

SHOWN = 15  # movies, people and genres of a list
FEW = 5  # ratings in train, below which a movie's id learns next to nothing
LABELS = {GENRES: "genre", DECADE: "release decade"}  # of what no source declares
Content = dict[str, Any]


@dataclass(frozen=True)
class Explored:
    """What was counted.

    cubes: see `cubes.count`; catalogue: with the features of the source; rows: the content of
    rows.json; statistics: by split, and of the catalogue; scale: the lowest and highest rating,
    None without ratings; labels: what people call the declared features, by name; several: those
    of which a movie may have more than one value; numbers: those that are numbers.
    """

    cubes: Cubes
    catalogue: Catalogue
    rows: RowsReport
    statistics: Mapping[str, DatasetFeatureStatistics]
    scale: tuple[float, float] | None
    labels: Mapping[str, str] = field(default_factory=dict)
    several: Collection[str] = ()
    numbers: Collection[str] = ()

    @property
    def levels(self) -> list[float]:
        """The ratings that are counted apart."""
        return [float(level) for level in centres(self.scale)] if self.scale else []

    def totals(self) -> Totals:
        """What was counted of each movie."""
        return movies.totals_of(self.cubes["movies"], len(self.catalogue), len(self.levels))


def make_content(explored: Explored, movie: int | None = None) -> Content:
    """Puts everything together.

    Args:
      explored: what was counted.
      movie: the row in the catalogue of a movie to show alone.
    """
    totals, cubes = explored.totals(), explored.cubes
    of_movies = _movies(explored, totals)
    content: Content = {
        "rows": dict(explored.rows),
        "scale": list(explored.scale or ()),
        "rated": int(totals.rated.sum()),
        "splits": splits.compare_splits(cubes, totals),
        "levels": splits.level_shares(cubes["movies"], explored.levels),
        "groups": groups.compare_groups(cubes, explored.levels, explored.numbers),
        "users": _users(cubes),
        "movies": of_movies,
        "times": _times(cubes),
        "labels": {**LABELS, **explored.labels},
        "several": [*explored.several],
        "numbers": [*explored.numbers],
        "features": feature_rows(explored.statistics, of_movies["unknown"]),
    }
    if movie is not None:
        content["movie"] = _one_movie(explored, totals, movie)
    return content


def _users(cubes: Cubes) -> Content:
    counts, weights = (cubes["activity"][name].to_numpy() for name in ("total", "n"))
    sample = cubes["sample"]
    return {
        "number": int(weights.sum()),
        "histogram": histogram(counts, weights),
        "median": _median(counts, weights),
        "most": int(counts.max(initial=0)),
        "gini": spread.gini(counts, weights),
        "top_share": spread.top_share(counts, weights, 0.1),
        "lorenz": spread.lorenz_rows("users", counts, weights),
        "sample": [
            row for row in sample.select(["n", "mean"]).to_pylist() if row["mean"] is not None
        ],
    }


def _median(counts: Any, weights: Any) -> int:
    order = np.argsort(counts)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return int(counts[order][half]) if len(counts) else 0


def _movies(explored: Explored, totals: Totals) -> Content:
    shrunk, weight = movies.shrunken(totals)
    rated = totals.ratings[totals.ratings > 0]
    ones = np.ones(len(rated), np.int64)
    most_rated, best = (np.argsort(-key, kind="stable") for key in (totals.ratings, shrunk))
    orders = {"most_rated": most_rated}
    if totals.rated.any():
        judged = totals.rated > 0
        worst = np.argsort(shrunk, kind="stable")
        orders |= {"best": best[judged[best]], "worst": worst[judged[worst]]}
    catalogue = explored.catalogue
    titles = catalogue.titles
    return {
        "catalogue": len(catalogue),
        "rated": len(rated),
        "few": int((totals.counts[TRAIN] < FEW).sum()),
        "unknown": movies.unknown(catalogue),
        "same_title": len(titles) - len(pc.unique(titles)),
        "weight": weight if np.isfinite(weight) else None,
        "histogram": histogram(rated),
        "ranks": movies.rank_curve(totals),
        "gini": spread.gini(rated, ones),
        "top_share": spread.top_share(rated, ones, 0.01),
        "lorenz": spread.lorenz_rows("movies", rated, ones),
        **{
            name: movies.movie_rows(catalogue, totals, shrunk, order, SHOWN)
            for name, order in orders.items()
        },
        "by": {
            name: movies.by_feature(catalogue, totals, name) for name in movies.grouping(catalogue)
        },
    }


def _times(cubes: Cubes) -> Content | None:
    """What is known of when ratings were given; none where the source has no times."""
    if "months" not in cubes:
        return None
    months, hours = cubes["months"], cubes["hours"]
    (pace,) = cubes["pace"].drop(["all"]).to_pylist()
    month, share = times.busiest(months)
    return {
        "month_of_year": times.by_month_of_year(months),
        "weekday": times.by_weekday(hours),
        "hour": times.by_hour(hours),
        "timeline": times.timeline(months),
        "years": times.by_year(months),
        "busiest": {"month": month, "share": share},
        "pace": pace,
    }


def _one_movie(explored: Explored, totals: Totals, row: int) -> Content:
    shrunk, _ = movies.shrunken(totals)
    catalogue, ratings = explored.catalogue, totals.ratings
    level = totals.levels[row]
    return {
        "title": to_text(catalogue.titles[row].as_py()),
        "ratings": int(ratings[row]),
        "splits": {name: int(totals.counts[i, row]) for i, name in enumerate(SPLITS)},
        "mean": float(totals.means[row]) if totals.rated[row] else None,
        "shrunken": float(shrunk[row]) if totals.rated.any() else None,
        "rank": int((ratings > ratings[row]).sum()) + 1,
        "place": int(((shrunk > shrunk[row]) & (totals.rated > 0)).sum()) + 1,
        "levels": [
            {"of": name, "rating": rating, "share": float(n / max(1, counts.sum()))}
            for name, counts in (("this movie", level), ("all movies", totals.levels.sum(axis=0)))
            for rating, n in zip(explored.levels, counts, strict=True)
            if totals.levels.sum(axis=0)[explored.levels.index(rating)]
        ],
    }
