"""Reads what the Evaluator found: metrics by slice, the blessed model's, and the verdict."""

from dataclasses import dataclass

import tensorflow_model_analysis as tfma

OVERALL = "overall"
Metrics = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Evaluation:
    """Metrics by slice: of the candidate, and of the latest blessed model where there is one.

    failed: (metric, whether it is a change against the blessed model) of each threshold missed.
    """

    candidate: Metrics
    blessed: Metrics | None
    failed: frozenset[tuple[str, bool]]


def read_evaluation(uri: str) -> Evaluation:
    """Loads the Evaluator's output."""
    specs = tfma.load_eval_result(uri).config.model_specs
    names = {spec.is_baseline: spec.name for spec in specs}
    verdict = tfma.load_validation_result(uri)
    failed = {
        (failure.metric_key.name, failure.metric_key.is_diff)
        for part in verdict.metric_validations_per_slice
        for failure in part.failures
    }
    return Evaluation(
        candidate=_metrics(uri, names[False]),
        blessed=_metrics(uri, names[True]) if True in names else None,
        failed=frozenset(failed),
    )


def _metrics(uri: str, model_name: str) -> Metrics:
    result = tfma.load_eval_result(uri, model_name=model_name)
    found: Metrics = {}
    for key, by_output in result.slicing_metrics:
        name = ",".join(f"{feature}={value}" for feature, value in key) or OVERALL
        values = by_output[""][""]
        # Beside every metric TFMA lists its change against the blessed model.
        found[name] = {
            metric: float(value.get("doubleValue", "nan"))
            for metric, value in values.items()
            if not metric.endswith("_diff")
        }
    return found
