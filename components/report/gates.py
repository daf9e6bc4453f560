"""The gates of a finished evaluation, each with value, interval, verdict and reason in words."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from components.evaluation.gates import RATING, GatesConfig, lower_is_better, task_of
from components.evaluation.rules import OVERALL, Gate, gates_of
from components.evaluation.slices import parse_slice
from components.report.evaluation import Evaluation, judged
from components.report.facts import slice_order
from components.report.tables import UNJUDGED

Row = dict[str, Any]


def gate_rows(
    config: GatesConfig, evaluation: Evaluation, off: Mapping[str, str] | None = None
) -> list[Row]:
    """Lists every gate: sound lists and the reloaded export first, then TFMA's.

    The verdicts are the Evaluator's own; nothing is judged a second time here. `off` are the tasks
    that training found nothing to learn of, with the reasons.
    """
    rows, off = list(evaluation.checks["gates"]), {**config.off, **(off or {})}
    for gate in gates_of(config, compared=evaluation.blessed is not None):
        if gate.task in off:
            metrics = evaluation.candidate.get(gate.slice, {})
            rows.append(_row(gate, gate.slice, metrics, f"as {off[gate.task]}"))
        else:
            rows += _rows(gate, evaluation)
    return rows


def _rows(gate: Gate, evaluation: Evaluation) -> Iterator[Row]:
    """The gate in each slice that it is set for."""
    names = [name for name in evaluation.candidate if _matches(gate.slice, name)]
    for name in sorted(names, key=slice_order):
        metrics = evaluation.candidate[name]
        where = "" if name == OVERALL else name
        failed = (where, gate.key) in evaluation.failed
        why = None if judged(metrics, gate.key) else _unjudged(gate, name, evaluation)
        yield _row(gate, name, metrics, why, not failed)
    if not names:
        yield _row(gate, gate.slice, {}, None, False)


def _unjudged(gate: Gate, name: str, evaluation: Evaluation) -> str:
    """Why a gate was not judged in a slice, in words."""
    blessed = (evaluation.blessed or {}).get(name, {})
    if gate.kind == "blessed" and gate.task == RATING and gate.metric not in blessed:
        return "as the blessed model predicts no ratings"
    count = evaluation.candidate[name]["rated_users" if gate.task == RATING else "users"]
    return f"with {count:.0f} users only"


def _matches(pattern: str, name: str) -> bool:
    if OVERALL in (pattern, name):
        return pattern == name
    asked, there = parse_slice(pattern), parse_slice(name)
    return [d for d, _ in asked] == [d for d, _ in there] and all(
        value in (None, own) for (_, value), (_, own) in zip(asked, there, strict=True)
    )


def _row(
    gate: Gate,
    name: str,
    metrics: Mapping[str, float],
    unjudged: str | None,
    passed: bool = True,
) -> Row:
    """A gate in a slice; `unjudged` says why it was not judged there, if it was not."""
    measured = gate.measured
    ends = [metrics[key] for key in (f"{measured}/low", f"{measured}/high") if key in metrics]
    row = {
        "name": gate.name,
        "metric": gate.metric,
        "slice": name,
        "kind": gate.kind,
        "value": metrics.get(measured, math.nan),
        "bound": gate.bound,
        "interval": ends or None,
        "judged": unjudged is None,
        "passed": passed,
    }
    return row | {"reason": reason(row, metrics, unjudged)}


def reason(row: Row, metrics: Mapping[str, float], unjudged: str | None) -> str:
    """Says in words how a gate ended."""
    where = "" if row["slice"] == OVERALL else f" in {row['slice']}"
    start = f"{row['name']}{where}: "
    if unjudged is not None:
        return f"{start}{UNJUDGED}{unjudged}"
    if not metrics or (row["metric"] not in metrics and task_of(row["metric"]) == RATING):
        place = "the eval split" if row["slice"] == OVERALL else f"the slice {row['slice']}"
        return f"{start}no rating of {place} was evaluated"
    if not math.isfinite(row["value"]):
        return f"{start}{row['metric']} is no number"
    if not all(map(math.isfinite, row["interval"] or ())):
        return f"{start}an interval over users needs at least two, and there is one"
    told = {"baseline": _gain, "blessed": _change, "absolute": _value}[row["kind"]]
    return start + told(row)


def _gain(row: Row) -> str:
    above = (row["value"] >= 0) != lower_is_better(row["metric"])
    side = "above" if above else "below"
    verdict = "clears" if row["passed"] else "does not clear"
    return (
        f"{row['metric']} is {abs(row['value']):.4f} {side} the baseline's "
        f"(interval of the gain {_interval(row)}), which {verdict} the margin of {row['bound']:g}"
    )


def _change(row: Row) -> str:
    value, tolerance = row["value"], abs(row["bound"])
    worse = value > 0 if lower_is_better(row["metric"]) else value < 0
    if value == 0:
        return f"{row['metric']} is the same"
    start = f"{row['metric']} changed by {value:+.4f} (interval {_interval(row)})"
    if not worse:
        return f"{start}, for the better"
    if not row["passed"]:
        return f"{start}, beyond the tolerance of {tolerance:g} and not by chance"
    if abs(value) <= tolerance:
        return f"{start}, within the tolerance of {tolerance:g}"
    return f"{start}, beyond the tolerance of {tolerance:g}, but it may be chance"


def _value(row: Row) -> str:
    side = "at most" if lower_is_better(row["metric"]) else "at least"
    interval = f" (interval {_interval(row)})" if row["interval"] else ""
    verdict = "within" if row["passed"] else "not surely within"
    return (
        f"{row['metric']} is {row['value']:.4f}{interval}, {verdict} "
        f"the bound of {side} {row['bound']:g}"
    )


def _interval(row: Row) -> str:
    return " to ".join(f"{end:.4f}" for end in row["interval"])
