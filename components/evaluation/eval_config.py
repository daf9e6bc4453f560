"""The gates as TensorFlow Model Analysis reads them."""

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from pydantic import BaseModel, ConfigDict

from components.evaluation import tfma
from components.evaluation.gate_kinds import MetricGate
from components.evaluation.gates import GatesConfig
from components.evaluation.rules import judged_gates
from components.evaluation.slices import OVERALL, parse_slice

# Unless told so, TFMA finds out that it is no Keras model by loading it as one.
MODEL = {"signature_name": "evaluate", "label_key": "rating", "model_type": "tf_generic"}
METRICS = {"class_name": "RecommenderMetrics", "module": "components.evaluation.tfma_metrics"}


class EvaluationSettings(BaseModel):
    """The Evaluator's settings, which travel in the configuration of TFMA's metric.

    gates: as set by the user.
    seed: of the bootstrap.
    scale: lowest and highest rating; None where the source has no ratings.
    off: the tasks that training found nothing to learn of, with the reasons.
    """

    model_config = ConfigDict(frozen=True)

    gates: GatesConfig
    seed: int
    scale: tuple[float, float] | None
    off: dict[str, str] = {}


def read_settings(config: tfma.EvalConfig) -> EvaluationSettings:
    """Reads the settings that `eval_config` put into TFMA's configuration."""
    return EvaluationSettings.model_validate_json(config.metrics_specs[0].metrics[0].config)


def eval_config(
    gates: GatesConfig,
    seed: int,
    scale: tuple[float, float] | None,
    off: Mapping[str, str] | None = None,
) -> tfma.EvalConfig:
    """Builds TFMA's configuration: the metrics, and a threshold of 0 on each gate's clearance.

    The arguments are those of `EvaluationSettings`.
    """
    off = dict(off or {})
    settings = EvaluationSettings(gates=gates, seed=seed, scale=scale, off=off)
    metric = {**METRICS, "config": json.dumps({"name": "measures", **settings.model_dump()})}
    metrics_specs = {"metrics": [metric], "per_slice_thresholds": _thresholds(gates, off)}
    specs = {
        "model_specs": [MODEL],
        "metrics_specs": [metrics_specs],
        "slicing_specs": [
            {},
            *({"feature_keys": [name]} for name in gates.sliced_by),
            *({"feature_keys": sorted(pair)} for pair in gates.crosses),
        ],
        "options": {"include_default_metrics": False},
    }
    return json_format.ParseDict(specs, tfma.EvalConfig())


def _thresholds(gates: GatesConfig, off: Mapping[str, str]) -> dict[str, Any]:
    return {gate.key: {"thresholds": [_threshold(gate)]} for gate in judged_gates(gates, off)}


def _threshold(gate: MetricGate) -> dict[str, Any]:
    parts = [] if gate.slice == OVERALL else parse_slice(gate.slice)
    spec = {
        "feature_keys": [name for name, value in parts if value is None],
        "feature_values": {name: value for name, value in parts if value is not None},
    }
    return {"slicing_specs": [spec], "threshold": {"value_threshold": {"lower_bound": 0.0}}}
