"""Reads what the Evaluator found: metrics by slice, the blessed model's, checks, the verdict."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from tfx.dsl.io import fileio

from components.evaluation.rules import OVERALL, UNCHECKED
from components.evaluation.slices import slice_name
from components.examples.paths import listed
from schemas.artifacts import CHECKS_FILE
from schemas.text import to_text

Metrics = dict[str, dict[str, float]]
METRICS_FILES = "metrics*"
NO_CHECKS: dict[str, Any] = {"gates": [], "notes": [], "lists": {}}


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    candidate, blessed: metrics by slice; blessed is none where nothing was compared. Both are
      without slices where nothing could be evaluated.
    failed: (slice, metric key) of each threshold that TFMA found missed.
    checks: the content of checks.json.
    bands: what `bands.sums` adds up, of the candidate and overall; none if nothing rated was
      evaluated.
    """

    candidate: Metrics
    blessed: Metrics | None
    failed: frozenset[tuple[str, str]]
    checks: Mapping[str, Any] = field(default_factory=lambda: NO_CHECKS)
    bands: Any = None


def read_evaluation(uri: str) -> Evaluation:
    """Loads the Evaluator's output."""
    checks = NO_CHECKS
    if fileio.exists(f"{uri}/{CHECKS_FILE}"):
        with fileio.open(f"{uri}/{CHECKS_FILE}") as file:
            checks = json.load(file)
    if not listed(f"{uri}/{METRICS_FILES}"):
        return Evaluation({}, None, frozenset(), checks)
    specs = tfma.load_eval_result(uri).config.model_specs
    names = {spec.is_baseline: spec.name for spec in specs}
    verdict = tfma.load_validation_result(uri)
    failed = {
        (slice_name(_key(part.slice_key)), failure.metric_key.name)
        for part in verdict.metric_validations_per_slice
        for failure in part.failures
    }
    candidate, banded = _metrics(uri, names[False])
    blessed = _metrics(uri, names[True])[0] if True in names else None
    return Evaluation(candidate, blessed, frozenset(failed), checks, banded)


def _key(proto: Any) -> tuple[tuple[str, str], ...]:
    parts = proto.single_slice_keys
    return tuple((part.column, to_text(part.bytes_value)) for part in parts)


def _metrics(uri: str, model_name: str) -> tuple[Metrics, Any]:
    result = tfma.load_eval_result(uri, model_name=model_name)
    found: Metrics = {}
    banded = None
    for key, by_output in result.slicing_metrics:
        values = by_output[""][""]
        if not key and "bands" in values:
            banded = _array(values["bands"]["arrayValue"])
        # Beside every metric TFMA lists its change against the blessed model.
        found[slice_name(key) or OVERALL] = {
            metric: float(value["doubleValue"])
            for metric, value in values.items()
            if "doubleValue" in value and not metric.endswith("_diff")
        }
    return found, banded


def _array(value: Mapping[str, Any]) -> Any:
    return np.array(value["float64Values"], float).reshape([int(n) for n in value["shape"]])


def judged(metrics: Mapping[str, float], key: str) -> bool:
    """Whether a gate was judged in the slice of these metrics."""
    return metrics.get(key, float("nan")) != UNCHECKED
