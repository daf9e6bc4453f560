"""What is measured of each example, and how sums of it become metrics.

Every metric here is a mean over examples of one column, so a group of examples is summed up by its
column sums; RMSE takes the root at the end. Errors of ratings are means over the examples that are
rated. Metrics compared with a baseline are differences whose positive side is always the model's.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

RANKINGS = {"": "rank", "unmasked/": "unmasked_rank"}
BASELINE_RANKINGS = {
    "popularity/": "popularity_rank",
    "popularity/unmasked/": "popularity_unmasked_rank",
}
RATINGS = {"": "rating", "bias/": "bias_rating"}
OUTPUTS = (
    "user", "label", *RANKINGS.values(), *BASELINE_RANKINGS.values(), *RATINGS.values(),
    "known_movie",
)  # fmt: skip
# What slices and the comparison with the blessed model read besides.
FACTS = ("movie_tenth", "known_user", "lowest", "highest")
# What only a model that predicts ratings answers.
RATED_OUTPUTS = ("label", *RATINGS.values(), "lowest", "highest")
ERRORS = ("rmse", "mae")


def rank_columns(rank: NDArray[Any], ks: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """Measures ranks, 1 being the best; each target is its list's only relevant movie.

    hit_rate@K is 1 for a rank of at most K, else 0; ndcg@K is 1 / log2(1 + rank) there (Jarvelin
    and Kekalainen, 2002, with one relevant item, so the ideal gain is 1); mrr is 1 / rank.

    Args:
      rank: float [examples], the expected rank where scores tie.
      ks: lengths of the lists.
    """
    gain = 1.0 / np.log2(1.0 + rank)
    hits = {k: (rank <= k).astype(np.float64) for k in ks}
    return {
        **{f"hit_rate@{k}": hits[k] for k in ks},
        **{f"ndcg@{k}": hits[k] * gain for k in ks},
        "mrr": 1.0 / rank,
    }


def columns(outputs: Mapping[str, NDArray[Any]], ks: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """Returns every measured column, float64 [examples], from the outputs named in `OUTPUTS`.

    An example whose label is NaN is not rated: its errors are 0, and do not count.
    """
    found: dict[str, NDArray[Any]] = {}
    for prefix, output in {**RANKINGS, **BASELINE_RANKINGS}.items():
        ranks = rank_columns(np.asarray(outputs[output], np.float64), ks)
        found.update({prefix + name: column for name, column in ranks.items()})
    label = np.asarray(outputs["label"], np.float64)
    for prefix, output in RATINGS.items():
        error = np.where(is_rated(label), np.asarray(outputs[output], np.float64) - label, 0.0)
        found[f"{prefix}rmse"] = np.square(error)
        found[f"{prefix}mae"] = np.abs(error)
    return found


def is_rated(label: NDArray[Any]) -> NDArray[np.bool_]:
    """Which examples have a rating to be predicted: bool [examples]."""
    return ~np.isnan(label)


def column_names(ks: tuple[int, ...]) -> list[str]:
    """The names of `columns`, in its order."""
    return list(columns({name: np.ones(1) for name in OUTPUTS}, ks))


def metrics(
    sums: NDArray[Any],
    count: NDArray[Any],
    ks: tuple[int, ...],
    rated: NDArray[Any] | None = None,
) -> dict[str, NDArray[Any]]:
    """Turns column sums into metrics and gains over the baselines.

    Args:
      sums: float64 [groups, columns].
      count: float64 [groups], the (weighted) number of examples.
      ks: lengths of the lists.
      rated: float64 [groups], the number of those that are rated; none: all are.

    Returns:
      name to float64 [groups], NaN where a group is empty, or holds nothing rated.
    """
    names = column_names(ks)
    of_ratings = np.array([on_ratings(name) for name in names])
    rated = count if rated is None else rated
    counts = np.where(of_ratings, rated[:, np.newaxis], count[:, np.newaxis])
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    found = dict(zip(names, means.T, strict=True))
    for prefix in RATINGS:
        found[f"{prefix}rmse"] = np.sqrt(found[f"{prefix}rmse"])
    for name in [n for n in found if f"popularity/{n}" in found]:
        found[f"gain/{name}"] = found[name] - found[f"popularity/{name}"]
    for name in ERRORS:
        found[f"gain/{name}"] = found[f"bias/{name}"] - found[name]
    return found


def on_ratings(name: str) -> bool:
    """Whether a metric, of whichever model or difference, is of ratings and not of lists."""
    return name.rpartition("/")[2] in ERRORS


def metric_names(ks: tuple[int, ...]) -> list[str]:
    """The names of `metrics`, in its order."""
    return list(metrics(np.zeros([1, len(column_names(ks))]), np.ones(1), ks))
