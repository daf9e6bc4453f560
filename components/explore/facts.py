"""Everything that the page shows, as plain JSON, out of the counts, statistics and rows.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatistics

from components.evaluation.bands import centres
from components.example_gen.split.splits import SPLITS, TRAIN
from components.explore import groups, movies, splits, spread, times
from components.explore.cubes import Cubes
from components.explore.features import feature_rows
from components.explore.movies import Totals
from components.pages.histograms import histogram

SHOWN = 15  # movies, people and genres of a list
FEW = 5  # ratings in train, below which a movie's id learns next to nothing
Facts = dict[str, Any]


@dataclass(frozen=True)
class Explored:
    """What was counted.

    cubes: see `cubes.count`; catalogue: see `reading.read_catalogue`; rows: the content of
    rows.json; statistics: by split, and of the catalogue; scale: the lowest and highest rating,
    None without ratings.
    """

    cubes: Cubes
    catalogue: pa.Table
    rows: Mapping[str, Any]
    statistics: Mapping[str, DatasetFeatureStatistics]
    scale: tuple[float, float] | None

    @property
    def levels(self) -> list[float]:
        """The ratings that are counted apart."""
        return [float(level) for level in centres(self.scale)] if self.scale else []

    def totals(self) -> Totals:
        """What was counted of each movie."""
        return movies.totals(self.cubes["movies"], len(self.catalogue), len(self.levels))


def make_facts(explored: Explored, movie: int | None = None) -> Facts:
    """Puts everything together.

    Args:
      explored: what was counted.
      movie: the row in the catalogue of a movie to show alone.
    """
    found, cubes = explored.totals(), explored.cubes
    of_movies = _movies(explored, found)
    facts = {
        "rows": dict(explored.rows),
        "scale": list(explored.scale or ()),
        "rated": int(found.rated.sum()),
        "splits": splits.split_facts(cubes, found),
        "levels": splits.level_shares(cubes["movies"], explored.levels),
        "groups": groups.group_facts(cubes, explored.levels),
        "users": _users(cubes),
        "movies": of_movies,
        "times": _times(cubes),
        "features": feature_rows(explored.statistics, of_movies["unknown"]),
    }
    if movie is not None:
        facts["movie"] = _one_movie(explored, found, movie)
    return facts


def _users(cubes: Cubes) -> Facts:
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


def _movies(explored: Explored, found: Totals) -> Facts:
    drawn, weight = movies.shrunken(found)
    rated = found.ratings[found.ratings > 0]
    ones = np.ones(len(rated), np.int64)
    most_rated, best = (np.argsort(-key, kind="stable") for key in (found.ratings, drawn))
    orders = {"most_rated": most_rated}
    if found.rated.any():
        judged = found.rated > 0
        worst = np.argsort(drawn, kind="stable")
        orders |= {"best": best[judged[best]], "worst": worst[judged[worst]]}
    catalogue = explored.catalogue
    titles = catalogue["title"]
    return {
        "catalogue": len(catalogue),
        "rated": len(rated),
        "few": int((found.counts[TRAIN] < FEW).sum()),
        "unknown": movies.unknown(catalogue),
        "same_title": len(titles) - len(pc.unique(titles)),
        "weight": weight if np.isfinite(weight) else None,
        "histogram": histogram(rated),
        "ranks": movies.rank_curve(found),
        "gini": spread.gini(rated, ones),
        "top_share": spread.top_share(rated, ones, 0.01),
        "lorenz": spread.lorenz_rows("movies", rated, ones),
        **{
            name: movies.listed(catalogue, found, drawn, order, SHOWN)
            for name, order in orders.items()
        },
        "by": {
            name: movies.by_feature(catalogue, found, name) for name in movies.features(catalogue)
        },
    }


def _times(cubes: Cubes) -> Facts | None:
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


def _one_movie(explored: Explored, found: Totals, row: int) -> Facts:
    drawn, _ = movies.shrunken(found)
    catalogue, ratings = explored.catalogue, found.ratings
    level = found.levels[row]
    return {
        "title": catalogue["title"][row].as_py(),
        "ratings": int(ratings[row]),
        "splits": {name: int(found.counts[i, row]) for i, name in enumerate(SPLITS)},
        "mean": float(found.means[row]) if found.rated[row] else None,
        "shrunken": float(drawn[row]) if found.rated.any() else None,
        "rank": int((ratings > ratings[row]).sum()) + 1,
        "place": int(((drawn > drawn[row]) & (found.rated > 0)).sum()) + 1,
        "levels": [
            {"of": name, "rating": rating, "share": float(n / max(1, counts.sum()))}
            for name, counts in (("this movie", level), ("all movies", found.levels.sum(axis=0)))
            for rating, n in zip(explored.levels, counts, strict=True)
            if found.levels.sum(axis=0)[explored.levels.index(rating)]
        ],
    }
