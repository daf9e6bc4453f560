"""What the statistics nodes counted of each feature: what is there, and what is unknown."""

import os
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatistics,
    FeatureNameStatistics,
)

from components.example_gen.split.splits import SPLITS
from components.validation.anomalies import read_statistics_file
from components.validation.curated import RATINGS
from schemas.artifacts import CATALOGUE, SPLIT_PREFIX, STATISTICS_FILE
from schemas.features import YEAR

Rows = list[dict[str, Any]]
ORDER = (*SPLITS, CATALOGUE)


def read_statistics(uri: str) -> dict[str, DatasetFeatureStatistics]:
    """What a statistics node wrote, by split."""
    names = sorted(PurePosixPath(os.fsdecode(name)).name for name in tf.io.gfile.listdir(uri))
    found = {}
    for name in (name for name in names if name.startswith(SPLIT_PREFIX)):
        statistics = read_statistics_file(f"{uri}/{name}/{STATISTICS_FILE}")
        found[name.removeprefix(SPLIT_PREFIX)] = statistics.datasets[0]
    return found


def feature_rows(
    statistics: Mapping[str, DatasetFeatureStatistics], unknown: Mapping[str, float]
) -> Rows:
    """One row per feature and split, features in alphabetical order.

    Args:
      statistics: by split, or `catalogue`.
      unknown: the share of the catalogue's movies that lack a feature. Statistics cannot tell: a
        list without values is there to them.

    Returns:
      `feature`, `split`, `values` (how many there are), `distinct` (None for numbers), `unknown`
      (the share that is missing, '' or year 0) and `common`: the most frequent value and its share,
      or the range of a number.
    """
    rows = [
        _row(split, feature)
        for split, dataset in statistics.items()
        for feature in dataset.features
    ]
    for row in rows:
        if row["split"] == CATALOGUE:
            row["unknown"] = unknown.get(row["feature"], row["unknown"])
    return sorted(rows, key=lambda row: (row["feature"], ORDER.index(row["split"])))


def _row(split: str, feature: FeatureNameStatistics) -> dict[str, Any]:
    name = feature.path.step[0]
    text = feature.WhichOneof("stats") == "string_stats"
    stats = feature.string_stats if text else feature.num_stats
    total, lacking = stats.common_stats.tot_num_values, stats.common_stats.num_missing
    empty = _empty(stats) if text else _unknown_numbers(name, stats)
    return {
        "feature": name,
        "split": split,
        "values": int(total),
        "distinct": int(stats.unique) if text else None,
        "unknown": float((empty + lacking) / (total + lacking)) if total + lacking else 1.0,
        "common": _top(stats, total) if text else _range(name, stats),
    }


def _empty(stats: Any) -> float:
    return float(sum(b.sample_count for b in stats.rank_histogram.buckets if b.label == ""))


def _unknown_numbers(name: str, stats: Any) -> float:
    """How many years are 0, or other numbers NaN; a rating that is NaN is known not to be there."""
    if name == YEAR:
        return float(stats.num_zeros)
    return float(stats.histograms[0].num_nan) if stats.histograms and name not in RATINGS else 0.0


def _top(stats: Any, total: int) -> str:
    known = [value for value in stats.top_values if value.value]
    if not known or known[0].frequency <= 1:
        return ""
    return f"{known[0].value} ({known[0].frequency / total:.1%})"


def _range(name: str, stats: Any) -> str:
    if name == "timestamp":
        return " to ".join(
            str(np.datetime64(int(end), "us"))[:10] for end in (stats.min, stats.max)
        )
    if name == YEAR:  # the unknown ones are 0
        return f"up to {stats.max:.0f}"
    return f"{stats.min:,g} to {stats.max:,g}"
