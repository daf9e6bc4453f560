"""The outcomes of the gates of a finished evaluation."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from components.evaluation.gate_kinds import MetricGate
from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import RATING
from components.evaluation.rules import UNCHECKED, gates_of
from components.evaluation.slices import OVERALL, parse_slice
from components.evaluation.verdicts import NOT_JUDGED, Kind, Outcome, Verdict
from components.report.evaluator_output import Evaluation
from components.report.slice_differences import slice_order

Metrics = Mapping[str, float]


def gate_outcomes(
    config: GatesConfig, evaluation: Evaluation, off: Mapping[str, str] | None = None
) -> list[Outcome]:
    """Lists every gate: sound lists and the reloaded export first, then TFMA's.

    The verdicts are the Evaluator's own; nothing is judged a second time here. `off` are the tasks
    that training found nothing to learn of, with the reasons.
    """
    outcomes, off = list(evaluation.checks.outcomes), {**config.off, **(off or {})}
    for gate in gates_of(config, compared=evaluation.blessed is not None):
        if gate.task in off:
            metrics = evaluation.candidate.get(gate.slice, {})
            outcomes.append(_not_judged(gate, metrics, f"as {off[gate.task]}"))
        else:
            outcomes += _by_slice(gate, evaluation, config)
    return outcomes


def _by_slice(gate: MetricGate, evaluation: Evaluation, config: GatesConfig) -> Iterator[Outcome]:
    """The outcomes of a gate in each slice that it is set for."""
    names = [name for name in evaluation.candidate if _matches(gate.slice, name)]
    for name in sorted(names, key=lambda name: slice_order(name, config)):
        metrics, own = evaluation.candidate[name], replace(gate, slice=name)
        if judged(metrics, gate.key):
            where = "" if name == OVERALL else name
            yield _outcome(own, metrics, (where, gate.key) not in evaluation.failed)
        else:
            yield _not_judged(own, metrics, _why_not_judged(gate, name, evaluation))
    if not names:
        yield _outcome(gate, {}, False)


def judged(metrics: Metrics, key: str) -> bool:
    """Whether a gate was judged in the slice of these metrics."""
    return metrics.get(key, math.nan) != UNCHECKED


def _matches(pattern: str, name: str) -> bool:
    """Whether a slice is one of those that a gate is set for."""
    if OVERALL in (pattern, name):
        return pattern == name
    asked, there = parse_slice(pattern), parse_slice(name)
    return [d for d, _ in asked] == [d for d, _ in there] and all(
        value in (None, own) for (_, value), (_, own) in zip(asked, there, strict=True)
    )


def _why_not_judged(gate: MetricGate, name: str, evaluation: Evaluation) -> str:
    blessed = (evaluation.blessed or {}).get(name, {})
    if gate.kind is Kind.BLESSED and gate.task == RATING and str(gate.metric) not in blessed:
        return "as the blessed model predicts no ratings"
    count = evaluation.candidate[name]["rated_users" if gate.task == RATING else "users"]
    return f"with {count:.0f} users only"


def _not_judged(gate: MetricGate, metrics: Metrics, why: str) -> Outcome:
    value, interval = _measured(gate, metrics)
    reason = f"{_start(gate)}{NOT_JUDGED}{why}"
    return Outcome(gate, value, Verdict.NOT_JUDGED, reason, interval)


def _outcome(gate: MetricGate, metrics: Metrics, passed: bool) -> Outcome:
    value, interval = _measured(gate, metrics)
    if not metrics or (gate.task == RATING and str(gate.metric) not in metrics):
        place = "the eval split" if gate.slice == OVERALL else f"the slice {gate.slice}"
        words = f"no rating of {place} was evaluated"
    elif not math.isfinite(value):
        words = f"{gate.metric} is no number"
    elif not all(map(math.isfinite, interval or ())):
        words = "an interval over users needs at least two, and there is one"
    else:
        words = gate.describe(value, interval, passed)
    return Outcome(gate, value, Verdict.of(passed), f"{_start(gate)}{words}", interval)


def _start(gate: MetricGate) -> str:
    """How the reason begins: with the gate's name and its slice."""
    where = "" if gate.slice == OVERALL else f" in {gate.slice}"
    return f"{gate.name}{where}: "


def _measured(gate: MetricGate, metrics: Metrics) -> tuple[float, tuple[float, float] | None]:
    """The value that the gate is on and its interval, as far as there are any."""
    low, high = map(str, gate.measured.ends)
    interval = (metrics[low], metrics[high]) if low in metrics and high in metrics else None
    return metrics.get(str(gate.measured), math.nan), interval
