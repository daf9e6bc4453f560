"""The gates as rules over metrics with intervals: which there are, and when one holds."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np

from components.evaluation.gates import (
    LIST_MEASURES,
    GatesConfig,
    SliceGates,
    lower_is_better,
    task_of,
)

OVERALL = "overall"
UNCHECKED = 1e9  # the clearance of a gate that is not judged
SLACK = 1e-9  # what float sums in another order may differ by
BASELINES = {"hit_rate": "beats popularity", "rmse": "beats user+movie bias"}
NO_WORSE = "no worse than the blessed model"


@dataclass(frozen=True)
class Gate:
    """One rule.

    kind: baseline (gain over a built-in baseline), blessed (change against the latest blessed
      model) or absolute (the value itself).
    slice: 'overall', or as `slices.parse_slice` reads it.
    """

    name: str
    metric: str
    kind: str
    slice: str
    bound: float

    @property
    def task(self) -> str:
        """The task that it judges: retrieval or rating."""
        return task_of(self.metric)

    @property
    def measured(self) -> str:
        """The metric whose value and interval are judged."""
        prefix = {"baseline": "gain/", "blessed": "change/", "absolute": ""}[self.kind]
        return f"{prefix}{self.metric}"

    @property
    def key(self) -> str:
        """The name under which the gate's clearance is written."""
        return f"gate/{self.kind}/{self.metric}/{self.slice}"

    def clearance(self, metrics: Mapping[str, float]) -> float:
        """How far the gate is from failing: below 0 it fails; NaN, which fails too, if no number.

        A metric that is absent is none.

        A gain, and a value with an absolute bound, must hold at the unfavourable end of the
        interval (a metric that has none, at its value): better by luck does not pass. A change for
        the worse fails when it is beyond the tolerance and its whole interval is a change for the
        worse: a model that is no worse is not refused for bad luck either.
        """
        name, lower = self.measured, lower_is_better(self.metric)
        value = metrics.get(name, float("nan"))
        low, high = (metrics.get(f"{name}/{end}", value) for end in ("low", "high"))
        if self.kind == "baseline":
            # The bound is exclusive: a model that is its baseline does not pass.
            return low - self.bound - SLACK
        if self.kind == "absolute":
            return self.bound - high if lower else low - self.bound
        if lower:
            return float(np.maximum(self.bound - value, -low) + SLACK)
        return float(np.maximum(value - self.bound, high) + SLACK)


def judged_gates(config: GatesConfig, off: Container[str]) -> list[Gate]:
    """The gates over metrics that are judged: not those of tasks that are off, here or there."""
    gates = gates_of(config, compared=True)
    return [gate for gate in gates if gate.task not in config.off and gate.task not in off]


def gates_of(config: GatesConfig, compared: bool) -> list[Gate]:
    """Lists the gates over metrics, overall ones first; those on lists are not among them.

    Args:
      config: as set by the user.
      compared: whether there is a blessed model to compare with.
    """
    whole = SliceGates(
        popularity_margin=config.popularity_margin,
        bias_margin=config.bias_margin,
        hit_rate_tolerance=config.hit_rate_tolerance,
        rmse_tolerance=config.rmse_tolerance,
        bounds={name: b for name, b in config.bounds.items() if name not in LIST_MEASURES},
    )
    parts = {OVERALL: whole, **config.per_slice}
    gates = [gate for name, part in parts.items() for gate in _part(config, name, part)]
    return [gate for gate in gates if compared or gate.kind != "blessed"]


def _part(config: GatesConfig, where: str, part: SliceGates) -> list[Gate]:
    hit_rate = config.hit_rate
    gates = []
    if part.popularity_margin is not None:
        margin = part.popularity_margin
        gates.append(Gate(BASELINES["hit_rate"], hit_rate, "baseline", where, margin))
    if part.bias_margin is not None:
        gates.append(Gate(BASELINES["rmse"], "rmse", "baseline", where, part.bias_margin))
    for name, bound in part.bounds.items():
        gates.append(Gate(f"bound on {name}", name, "absolute", where, bound))
    if part.hit_rate_tolerance is not None:
        gates.append(Gate(NO_WORSE, hit_rate, "blessed", where, -part.hit_rate_tolerance))
    if part.rmse_tolerance is not None:
        gates.append(Gate(NO_WORSE, "rmse", "blessed", where, part.rmse_tolerance))
    return gates
