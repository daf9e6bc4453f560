"""The content of blessing.json: what was measured, which gates held, and why."""

import math
from collections.abc import Mapping
from typing import Any

from components.evaluation.gates import GatesConfig, is_gated, lower_is_better
from components.report.evaluation import OVERALL, Evaluation

Gate = dict[str, Any]


def gates_of(config: GatesConfig, evaluation: Evaluation) -> list[Gate]:
    """Lists every gate with its value, bound, interval and verdict.

    The verdicts are the Evaluator's own; nothing is judged a second time here.
    """
    metrics = evaluation.candidate[OVERALL]
    hit_rate = config.hit_rate
    gates = [
        _baseline_gate("beats popularity", hit_rate, config.popularity_margin, evaluation),
        _baseline_gate("beats user+movie bias", "rmse", config.bias_margin, evaluation),
    ]
    for name, bound in config.bounds.items():
        failed = (name, False) in evaluation.failed
        interval = _interval(metrics, name)
        gates.append(
            _gate(f"bound on {name}", name, "absolute", metrics[name], bound, interval, failed)
        )
    if evaluation.blessed is not None:
        for name, bound in (
            (hit_rate, -config.hit_rate_tolerance),
            ("rmse", config.rmse_tolerance),
        ):
            change = metrics[name] - evaluation.blessed[OVERALL][name]
            failed = (name, True) in evaluation.failed
            gates.append(
                _gate(
                    "no worse than the blessed model", name, "blessed", change, bound, None, failed
                )
            )
    return gates


def _baseline_gate(name: str, metric: str, margin: float, evaluation: Evaluation) -> Gate:
    metrics, gain = evaluation.candidate[OVERALL], f"gain/{metric}"
    failed = (f"{gain}/low", False) in evaluation.failed
    return _gate(name, metric, "baseline", metrics[gain], margin, _interval(metrics, gain), failed)


def _gate(
    name: str,
    metric: str,
    kind: str,
    value: float,
    bound: float,
    interval: list[float] | None,
    failed: bool,
) -> Gate:
    return {
        "name": name,
        "metric": metric,
        "slice": OVERALL,
        "kind": kind,
        "value": value,
        "bound": bound,
        "interval": interval,
        "passed": not failed,
    }


def _interval(metrics: Mapping[str, float], name: str) -> list[float]:
    return [metrics[f"{name}/low"], metrics[f"{name}/high"]]


def reason(gate: Gate) -> str:
    """Says in words how a gate ended."""
    metric, value, bound = gate["metric"], gate["value"], gate["bound"]
    if gate["kind"] == "baseline":
        low, high = gate["interval"]
        side = "below" if lower_is_better(metric) else "above"
        verdict = "which clears" if gate["passed"] else "which does not clear"
        return (
            f"{gate['name']}: {metric} is {value:.4f} {side} the baseline's "
            f"(interval {low:.4f} to {high:.4f}), {verdict} the margin of {bound:g}"
        )
    verdict = "within" if gate["passed"] else "outside"
    if gate["kind"] == "blessed":
        return f"{gate['name']}: {metric} changed by {value:+.4f}, {verdict} {bound:+g}"
    return f"{gate['name']}: {value:.4f} is {verdict} {bound:g}"


def blessing(
    run_id: str,
    blessed: bool,
    config: Mapping[str, Any],
    rows: Mapping[str, Any],
    drift: list[str],
    training: Mapping[str, Any],
    evaluation: Evaluation,
) -> dict[str, Any]:
    """Puts blessing.json together; `schemas/blessing.schema.json` describes it.

    Args:
      run_id: names the run.
      blessed: the Evaluator's verdict.
      config: the run's whole configuration.
      rows: what the example gen counted.
      drift: sentences on drift from the last run.
      training: the best epoch, and every epoch's losses.
      evaluation: what the Evaluator found.
    """
    gates = gates_of(GatesConfig.model_validate(config["gates"]), evaluation)
    told = [gate for gate in gates if gate["passed"] == blessed]
    content = {
        "run_id": run_id,
        "blessed": blessed,
        "reasons": [reason(gate) for gate in told],
        "config": config,
        "split": {"kind": config["split"]["kind"], "history": rows["history"], **rows["splits"]},
        "metrics": {name: own(values) for name, values in evaluation.candidate.items()},
        "intervals": intervals(evaluation.candidate[OVERALL]),
        "baselines": baselines(evaluation),
        "gates": gates,
        "training": training,
        "drift": drift,
        "rows": {key: rows[key] for key in ("read", "kept", "dropped", "samples")},
        "seconds": {},
    }
    return {key: _finite(value) for key, value in content.items()}


def _finite(value: Any) -> Any:
    """Puts None for what is no number: JSON has no way to write it."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def own(values: Mapping[str, float]) -> dict[str, float]:
    """The model's own metrics among all."""
    return {name: value for name, value in values.items() if is_gated(name)}


def intervals(values: Mapping[str, float]) -> dict[str, list[float]]:
    """The intervals of the model's own metrics."""
    return {name: _interval(values, name) for name in own(values)}


def baselines(evaluation: Evaluation) -> dict[str, dict[str, dict[str, float]]]:
    """Metrics by baseline and slice: popularity, bias, and the blessed model where there is one."""
    found = {
        prefix: {
            name: {
                metric.removeprefix(f"{prefix}/"): value
                for metric, value in values.items()
                if metric.startswith(f"{prefix}/")
            }
            for name, values in evaluation.candidate.items()
        }
        for prefix in ("popularity", "bias")
    }
    if evaluation.blessed is not None:
        found["blessed"] = {name: own(values) for name, values in evaluation.blessed.items()}
    return found
