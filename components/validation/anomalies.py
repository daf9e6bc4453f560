"""What is wrong with the data, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

DRIFT = (
    anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH,
    anomalies_pb2.AnomalyInfo.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH,
)
Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList


@dataclass(frozen=True)
class Finding:
    """One anomaly: whether it is drift from the last run, and a sentence."""

    drift: bool
    sentence: str


def read_statistics_file(path: str) -> Statistics:
    """Reads what a statistics node wrote of a split."""
    return tfdv.load_stats_binary(path)


def find(
    split: str, statistics: Statistics, schema: schema_pb2.Schema, previous: Statistics | None
) -> tuple[anomalies_pb2.Anomalies, list[Finding]]:
    """Compares a split's statistics with the schema, and with the last run's where there is one.

    A split without Examples has nothing to compare; an empty one that must not be empty is the
    example gen's own error.
    """
    if not statistics.datasets or not statistics.datasets[0].num_examples:
        return anomalies_pb2.Anomalies(), []
    if previous is not None and not (previous.datasets and previous.datasets[0].num_examples):
        previous = None
    statistics, previous = (s and _of_numbers(s, schema) for s in (statistics, previous))
    anomalies = tfdv.validate_statistics(statistics, schema, previous_statistics=previous)
    return anomalies, sentences(split, anomalies.anomaly_info)


def _of_numbers(statistics: Statistics, schema: schema_pb2.Schema) -> Statistics:
    """The statistics without the NaN that the schema allows.

    TFDV takes it for drift even where its share stays the same, and for zeros where nothing else is
    in a split.
    """
    domains = {f.name: f.float_domain for f in schema.feature if f.HasField("float_domain")}
    known = statistics_pb2.DatasetFeatureStatisticsList()
    known.CopyFrom(statistics)
    for feature in known.datasets[0].features:
        domain = domains.get(feature.path.step[0])
        if domain is None or domain.disallow_nan:
            continue
        numbers = feature.num_stats
        for histogram in numbers.histograms:
            histogram.num_nan = 0
        if not any(bucket.sample_count for h in numbers.histograms for bucket in h.buckets):
            numbers.min = numbers.max = domain.min
    return known


def sentences(split: str, anomalies: Mapping[str, anomalies_pb2.AnomalyInfo]) -> list[Finding]:
    """One sentence for each reason, naming split, feature and reason."""
    findings = []
    for feature, info in sorted(anomalies.items()):
        reasons = info.reason or [info]
        for reason in reasons:
            drift = getattr(reason, "type", None) in DRIFT
            text = f"{split}: feature {feature}: {reason.short_description}: {reason.description}"
            findings.append(Finding(drift, text.strip()))
    return findings
