"""The gates as TensorFlow Model Analysis reads them."""

import json
from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import json_format

from components.evaluation import measures
from components.evaluation.gates import GatesConfig, has_interval, lower_is_better

METRIC_CLASS = {"class_name": "RecommenderMetric", "module": "components.evaluation.tfma_metrics"}


def eval_config(gates: GatesConfig, seed: int) -> tfma.EvalConfig:
    """Builds TFMA's configuration: every metric, thresholds where there is a gate.

    Value thresholds: the low end of the gain over each baseline, and the user's bounds. Change
    thresholds: hit rate and RMSE against the latest blessed model, skipped while there is none.
    """
    names = measures.metric_names(tuple(gates.ks))
    ends = [f"{name}/{end}" for name in names for end in ("low", "high") if has_interval(name)]
    metrics = [_metric(gates, name, seed) for name in [*names, *ends]]
    specs = {
        "model_specs": [{"signature_name": "evaluate", "label_key": "rating"}],
        "metrics_specs": [{"metrics": metrics}],
        "slicing_specs": [{}, *({"feature_keys": [name]} for name in gates.slices)],
        "options": {"include_default_metrics": False},
    }
    return json_format.ParseDict(specs, tfma.EvalConfig())


def _metric(gates: GatesConfig, name: str, seed: int) -> dict[str, Any]:
    settings = {
        "name": name,
        "ks": gates.ks,
        "replicates": gates.replicates,
        "level": gates.level,
        "seed": seed,
    }
    threshold = _threshold(gates, name)
    return {
        **METRIC_CLASS,
        "config": json.dumps(settings),
        **({"threshold": threshold} if threshold else {}),
    }


def _threshold(gates: GatesConfig, name: str) -> dict[str, Any]:
    threshold: dict[str, Any] = {}
    floors = {
        f"gain/{gates.hit_rate}/low": gates.popularity_margin,
        "gain/rmse/low": gates.bias_margin,
    }
    if name in floors:
        # TFMA's bound is inclusive: a model that is its baseline must not pass.
        threshold["value_threshold"] = {"lower_bound": max(floors[name], 1e-9)}
    if name in gates.bounds:
        side = "upper_bound" if lower_is_better(name) else "lower_bound"
        threshold["value_threshold"] = {side: gates.bounds[name]}
    changes = {gates.hit_rate: -gates.hit_rate_tolerance, "rmse": gates.rmse_tolerance}
    if name in changes:
        direction = "LOWER_IS_BETTER" if lower_is_better(name) else "HIGHER_IS_BETTER"
        threshold["change_threshold"] = {"absolute": changes[name], "direction": direction}
    return threshold
