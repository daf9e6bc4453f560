"""Reads what the Evaluator found: metrics by slice, the blessed model's, checks, the verdict."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.evaluation import tfma
from components.evaluation.bands import BANDS
from components.evaluation.check_results import CheckResults
from components.evaluation.slices import OVERALL, slice_name
from components.examples.paths import listed
from schemas.artifacts import CHECKS_FILE
from schemas.text import to_text

Metrics = dict[str, dict[str, float]]
METRICS_FILES = "metrics*"


@dataclass(frozen=True)
class Evaluation:
    """What the Evaluator wrote down.

    candidate, blessed: by slice, values by name as `slice_metrics.metrics_of` gives them; blessed
      is None where nothing was compared. Both have no slices where nothing could be evaluated.
    failed: slice (empty: overall) and key of each gate that TFMA found failed.
    checks: what the exported models' answers show.
    bands: what `bands.sums` adds up, of the candidate and overall; None if nothing rated was
      evaluated.
    """

    candidate: Metrics
    blessed: Metrics | None
    failed: frozenset[tuple[str, str]]
    checks: CheckResults = field(default_factory=CheckResults)
    bands: NDArray[Any] | None = None


def read_evaluation(uri: str) -> Evaluation:
    """Loads the Evaluator's output."""
    checks = _read_checks(f"{uri}/{CHECKS_FILE}")
    if not listed(f"{uri}/{METRICS_FILES}"):
        return Evaluation({}, None, frozenset(), checks)
    specs = tfma.load_eval_result(uri).config.model_specs
    names = {spec.is_baseline: spec.name for spec in specs}
    verdict: Any = tfma.load_validation_result(uri)
    failed = {
        (slice_name(_key(part.slice_key)), failure.metric_key.name)
        for part in verdict.metric_validations_per_slice
        for failure in part.failures
    }
    candidate, banded = _metrics(uri, names[False])
    blessed = _metrics(uri, names[True])[0] if True in names else None
    return Evaluation(candidate, blessed, frozenset(failed), checks, banded)


def _read_checks(path: str) -> CheckResults:
    if not tf.io.gfile.exists(path):
        return CheckResults()
    with tf.io.gfile.GFile(path) as file:
        return CheckResults.from_json(json.load(file))


def _key(proto: Any) -> tuple[tuple[str, str], ...]:
    parts = proto.single_slice_keys
    return tuple((part.column, to_text(part.bytes_value)) for part in parts)


def _metrics(uri: str, model_name: str) -> tuple[Metrics, NDArray[Any] | None]:
    """The values of a model by slice, and its sums by band."""
    result = tfma.load_eval_result(uri, model_name=model_name)
    metrics: Metrics = {}
    banded = None
    for key, by_output in result.slicing_metrics:
        values = by_output[""][""]
        if not key and BANDS in values:
            banded = _array(values[BANDS]["arrayValue"])
        # Beside every metric TFMA lists its change against the blessed model.
        metrics[slice_name(key) or OVERALL] = {
            metric: float(value["doubleValue"])
            for metric, value in values.items()
            if "doubleValue" in value and not metric.endswith("_diff")
        }
    return metrics, banded


def _array(value: Mapping[str, Any]) -> NDArray[Any]:
    return np.array(value["float64Values"], float).reshape([int(n) for n in value["shape"]])
