"""What is measured of each example, and how sums of it become metrics.

Every metric here is a mean over examples of one column, so a group of examples is summed up by its
column sums; RMSE takes the root at the end. Errors of ratings are means over the examples that are
rated. Metrics compared with a baseline are differences whose positive side is always the model's.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.metric_name import (
    ERRORS,
    HIT_RATE,
    MAE,
    MRR,
    NDCG,
    RATING,
    RMSE,
    MetricName,
    Subject,
)

# The model's outputs: ranks by subject and whether movies already seen are ranked too.
RANKS = {
    (Subject.MODEL, False): "rank",
    (Subject.MODEL, True): "unmasked_rank",
    (Subject.POPULARITY, False): "popularity_rank",
    (Subject.POPULARITY, True): "popularity_unmasked_rank",
}
RATINGS = {Subject.MODEL: "rating", Subject.BIAS: "bias_rating"}
OUTPUTS = ("user", "label", *RANKS.values(), *RATINGS.values(), "known_movie")
# What slices and the comparison with the blessed model read besides.
FACTS = ("movie_tenth", "known_user", "lowest", "highest")
# What only a model that predicts ratings answers.
RATED_OUTPUTS = ("label", *RATINGS.values(), "lowest", "highest")
Columns = dict[MetricName, NDArray[Any]]


def rank_columns(rank: NDArray[Any], ks: tuple[int, ...]) -> Columns:
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
        **{MetricName(HIT_RATE, k): hits[k] for k in ks},
        **{MetricName(NDCG, k): hits[k] * gain for k in ks},
        MetricName(MRR): 1.0 / rank,
    }


def columns(outputs: Mapping[str, NDArray[Any]], ks: tuple[int, ...]) -> Columns:
    """Returns every measured column, float64 [examples], from the outputs named in `OUTPUTS`.

    An example whose label is NaN is not rated: its errors are 0, and do not count.
    """
    measured: Columns = {}
    for (subject, unmasked), output in RANKS.items():
        ranks = rank_columns(np.asarray(outputs[output], np.float64), ks)
        measured |= {replace(n, subject=subject, unmasked=unmasked): c for n, c in ranks.items()}
    label = np.asarray(outputs["label"], np.float64)
    for subject, output in RATINGS.items():
        error = np.where(is_rated(label), np.asarray(outputs[output], np.float64) - label, 0.0)
        measured[MetricName(RMSE, subject=subject)] = np.square(error)
        measured[MetricName(MAE, subject=subject)] = np.abs(error)
    return measured


def is_rated(label: NDArray[Any]) -> NDArray[np.bool_]:
    """Which examples have a rating to be predicted: bool [examples]."""
    return ~np.isnan(label)


def column_names(ks: tuple[int, ...]) -> list[MetricName]:
    """The names of `columns`, in its order."""
    return list(columns({name: np.ones(1) for name in OUTPUTS}, ks))


def metrics(
    sums: NDArray[Any],
    count: NDArray[Any],
    ks: tuple[int, ...],
    rated: NDArray[Any] | None = None,
) -> Columns:
    """Turns column sums into metrics and gains over the baselines.

    Args:
      sums: float64 [groups, columns].
      count: float64 [groups], the (weighted) number of examples.
      ks: lengths of the lists.
      rated: float64 [groups], the number of those that are rated; default: all are.

    Returns:
      Name to float64 [groups], NaN where a group is empty, or holds nothing rated.
    """
    names = column_names(ks)
    of_ratings = np.array([name.task == RATING for name in names])
    rated = count if rated is None else rated
    counts = np.where(of_ratings, rated[:, np.newaxis], count[:, np.newaxis])
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    measured = dict(zip(names, means.T, strict=True))
    for subject in RATINGS:
        rmse = MetricName(RMSE, subject=subject)
        measured[rmse] = np.sqrt(measured[rmse])
    return measured | _gains(measured)


def _gains(measured: Columns) -> Columns:
    """How far the model is ahead: of popularity in its ranks, of bias in its errors."""
    own = [name for name in measured if name.is_own]
    of_ranks = [name for name in own if name.of(Subject.POPULARITY) in measured]
    gains = {name: measured[name] - measured[name.of(Subject.POPULARITY)] for name in of_ranks}
    for name in map(MetricName, ERRORS):
        gains[name] = measured[name.of(Subject.BIAS)] - measured[name]
    return {name.of(Subject.GAIN): gain for name, gain in gains.items()}


def metric_names(ks: tuple[int, ...]) -> list[MetricName]:
    """The names of `metrics`, in its order."""
    return list(metrics(np.zeros([1, len(column_names(ks))]), np.ones(1), ks))
