"""Which gates on metrics there are, as the user set them."""

from collections.abc import Container

from components.evaluation.gate_kinds import (
    AbsoluteGate,
    BaselineGate,
    BlessedGate,
    ListGate,
    MetricGate,
)
from components.evaluation.gates import GatesConfig, SliceGates
from components.evaluation.metric_name import LIST_MEASURES, RMSE, MetricName
from components.evaluation.slices import OVERALL
from components.evaluation.verdicts import Kind

UNCHECKED = 1e9  # the clearance of a gate that is not judged
BEATS_POPULARITY, BEATS_BIAS = "beats popularity", "beats user+movie bias"
NO_WORSE = "no worse than the blessed model"


def judged_gates(config: GatesConfig, off: Container[str]) -> list[MetricGate]:
    """The gates over metrics that are judged: not those of tasks that are off, here or there."""
    gates = gates_of(config, compared=True)
    return [gate for gate in gates if gate.task not in config.off and gate.task not in off]


def list_gates(config: GatesConfig) -> list[ListGate]:
    """The gates on measures of the lists, of which each has a bound that the user set."""
    return [
        ListGate(f"bound on {name}", MetricName.parse(name), bound)
        for name, bound in config.bounds.items()
        if name in LIST_MEASURES
    ]


def gates_of(config: GatesConfig, compared: bool) -> list[MetricGate]:
    """Lists the gates over metrics, overall ones first; those on lists are not among them.

    Args:
      config: as set by the user.
      compared: whether there is a blessed model to compare with.
    """
    overall = SliceGates(
        popularity_margin=config.popularity_margin,
        bias_margin=config.bias_margin,
        hit_rate_tolerance=config.hit_rate_tolerance,
        rmse_tolerance=config.rmse_tolerance,
        bounds={name: b for name, b in config.bounds.items() if name not in LIST_MEASURES},
    )
    parts = {OVERALL: overall, **config.per_slice}
    gates = [gate for name, part in parts.items() for gate in _gates_of_slice(config, name, part)]
    return [gate for gate in gates if compared or gate.kind is not Kind.BLESSED]


def _gates_of_slice(config: GatesConfig, where: str, part: SliceGates) -> list[MetricGate]:
    hit_rate, rmse = config.hit_rate, MetricName(RMSE)
    gates: list[MetricGate] = []
    if part.popularity_margin is not None:
        gates.append(BaselineGate(BEATS_POPULARITY, hit_rate, part.popularity_margin, where))
    if part.bias_margin is not None:
        gates.append(BaselineGate(BEATS_BIAS, rmse, part.bias_margin, where))
    for name, bound in part.bounds.items():
        gates.append(AbsoluteGate(f"bound on {name}", MetricName.parse(name), bound, where))
    if part.hit_rate_tolerance is not None:
        gates.append(BlessedGate(NO_WORSE, hit_rate, -part.hit_rate_tolerance, where))
    if part.rmse_tolerance is not None:
        gates.append(BlessedGate(NO_WORSE, rmse, part.rmse_tolerance, where))
    return gates
