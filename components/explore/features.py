"""What the statistics nodes counted of each feature: what is there, and what is unknown."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatistics,
    FeatureNameStatistics,
)
from tfx.dsl.io import fileio

Rows = list[dict[str, Any]]
PREFIX = "Split-"


def read_statistics(uri: str) -> dict[str, DatasetFeatureStatistics]:
    """What a statistics node wrote, by split."""
    names = sorted(PurePosixPath(name).name for name in fileio.listdir(uri))
    found = {}
    for name in (name for name in names if name.startswith(PREFIX)):
        statistics = tfdv.load_stats_binary(f"{uri}/{name}/FeatureStats.pb")
        found[name.removeprefix(PREFIX)] = statistics.datasets[0]
    return found


def feature_rows(statistics: Mapping[str, DatasetFeatureStatistics]) -> Rows:
    """One row per feature and split, features in alphabetical order.

    Args:
      statistics: by split, or `catalogue`.

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
    return sorted(rows, key=lambda row: row["feature"])


def _row(split: str, feature: FeatureNameStatistics) -> dict[str, Any]:
    name = feature.path.step[0]
    text = feature.WhichOneof("stats") == "string_stats"
    stats = feature.string_stats if text else feature.num_stats
    common = stats.common_stats
    total = common.tot_num_values
    empty = _empty(stats) if text else (stats.num_zeros if name == "year" else 0)
    lacking = common.num_missing
    return {
        "feature": name,
        "split": split,
        "values": int(total),
        "distinct": int(stats.unique) if text else None,
        "unknown": float((empty + lacking) / (total + lacking)) if total + lacking else 1.0,
        "common": _top(stats, total) if text else f"{stats.min:,g} to {stats.max:,g}",
    }


def _empty(stats: Any) -> float:
    return float(sum(b.sample_count for b in stats.rank_histogram.buckets if b.label == ""))


def _top(stats: Any, total: int) -> str:
    known = [value for value in stats.top_values if value.value]
    return f"{known[0].value} ({known[0].frequency / total:.1%})" if known else ""
