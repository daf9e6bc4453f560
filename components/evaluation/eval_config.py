"""The gates as TensorFlow Model Analysis reads them."""

import json
from collections.abc import Mapping
from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import json_format

from components.evaluation.gates import GatesConfig
from components.evaluation.rules import OVERALL, Gate, judged_gates
from components.evaluation.slices import parse_slice

METRICS = {"class_name": "RecommenderMetrics", "module": "components.evaluation.tfma_metrics"}


def eval_config(
    gates: GatesConfig,
    seed: int,
    scale: tuple[float, float] | None,
    off: Mapping[str, str] | None = None,
) -> tfma.EvalConfig:
    """Builds TFMA's configuration: the metrics, and a threshold of 0 on each gate's clearance.

    Args:
      gates: as set by the user.
      seed: of the bootstrap.
      scale: lowest and highest rating, where the source has ratings.
      off: the tasks that training found nothing to learn of, with the reasons.
    """
    off = dict(off or {})
    settings = {
        "name": "measures", "gates": gates.model_dump(), "seed": seed,
        "scale": scale and list(scale), "off": off,
    }  # fmt: skip
    specs = {
        "model_specs": [{"signature_name": "evaluate", "label_key": "rating"}],
        "metrics_specs": [
            {
                "metrics": [{**METRICS, "config": json.dumps(settings)}],
                "per_slice_thresholds": {
                    gate.key: {"thresholds": [_threshold(gate)]}
                    for gate in judged_gates(gates, off)
                },
            }
        ],
        "slicing_specs": [
            {},
            *({"feature_keys": [name]} for name in gates.slices),
            *({"feature_keys": sorted(pair)} for pair in gates.crosses),
        ],
        "options": {"include_default_metrics": False},
    }
    return json_format.ParseDict(specs, tfma.EvalConfig())


def _threshold(gate: Gate) -> dict[str, Any]:
    parts = [] if gate.slice == OVERALL else parse_slice(gate.slice)
    spec = {
        "feature_keys": [name for name, value in parts if value is None],
        "feature_values": {name: value for name, value in parts if value is not None},
    }
    return {"slicing_specs": [spec], "threshold": {"value_threshold": {"lower_bound": 0.0}}}
