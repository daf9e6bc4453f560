"""A gate and how it ended, as rules, checks, blessing.json and the report share them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from components.evaluation.metric_name import MetricName
from components.evaluation.slices import OVERALL

NOT_JUDGED = "not judged, "  # stands before why, in the reason of a gate that was not judged


class Kind(str, Enum):
    """What a gate asks of the model."""

    RELOAD = "reload"  # that the export answers in a fresh process as it was trained to
    SANITY = "sanity"  # that its lists are sound
    BASELINE = "baseline"  # a gain over a built-in baseline
    BLESSED = "blessed"  # no worse a value than the latest blessed model's
    ABSOLUTE = "absolute"  # a value within a bound
    LISTS = "lists"  # a measure of the lists within a bound


class Verdict(str, Enum):
    """How a gate ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not judged"

    @staticmethod
    def of(passed: bool) -> "Verdict":
        """The verdict on a gate that was judged."""
        return Verdict.PASSED if passed else Verdict.FAILED


@dataclass(frozen=True)
class Gate:
    """A bound that one number has to keep.

    name: what the gate asks, in words.
    metric: what is measured: a metric, or a few words.
    bound: what the number has to reach or must not exceed.
    kind: what is asked of the model.
    slice: `OVERALL`, or as `slices.parse_slice` reads it.
    """

    name: str
    metric: MetricName | str
    bound: float
    kind: Kind
    slice: str = OVERALL

    @property
    def is_decisive(self) -> bool:
        """Whether it asks how good the model is, rather than whether it works at all."""
        return self.kind not in (Kind.SANITY, Kind.RELOAD)


@dataclass(frozen=True)
class Outcome:
    """How a gate ended in one slice.

    gate: with the slice that was looked at.
    value: the number that was measured; NaN where there is none.
    verdict: whether the gate passed, failed or was not judged.
    reason: why, in words.
    interval: the low and the high end of the value; None where it has no interval.
    """

    gate: Gate
    value: float
    verdict: Verdict
    reason: str
    interval: tuple[float, float] | None = None

    @property
    def judged(self) -> bool:
        """Whether the gate decided anything."""
        return self.verdict is not Verdict.NOT_JUDGED

    @property
    def passed(self) -> bool:
        """Whether the gate lets the model through, as one does that was not judged."""
        return self.verdict is not Verdict.FAILED

    @property
    def why_not_judged(self) -> str:
        """Why the gate was not judged; empty if it was."""
        return "" if self.judged else self.reason.partition(NOT_JUDGED)[2]

    def to_json(self) -> dict[str, Any]:
        """The outcome as blessing.json has it: a number that is not finite is None."""
        return {
            "name": self.gate.name,
            "metric": str(self.gate.metric),
            "slice": self.gate.slice,
            "kind": self.gate.kind.value,
            "value": _finite(self.value),
            "bound": self.gate.bound,
            "interval": None if self.interval is None else list(map(_finite, self.interval)),
            "judged": self.judged,
            "passed": self.passed,
            "reason": self.reason,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> "Outcome":
        """Reads what `to_json` writes."""
        gate = Gate(row["name"], row["metric"], row["bound"], Kind(row["kind"]), row["slice"])
        verdict = Verdict.of(row["passed"]) if row.get("judged", True) else Verdict.NOT_JUDGED
        low, high = map(_number, row["interval"] or (None, None))
        interval = None if row["interval"] is None else (low, high)
        return Outcome(gate, _number(row["value"]), verdict, row["reason"], interval)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
