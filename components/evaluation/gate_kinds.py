"""The kinds of gates on metrics: when a gate of each holds, and how that is said."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from components.evaluation.metric_name import MetricName, Subject
from components.evaluation.verdicts import Gate, Kind

SLACK = 1e-9  # what float sums in another order may differ by
Interval = tuple[float, float]


@dataclass(frozen=True)
class MetricGate(Gate, ABC):
    """A gate on a metric; its kind says at which end of the interval it must hold."""

    metric: MetricName
    subject: ClassVar[Subject] = Subject.MODEL

    @property
    def task(self) -> str:
        """The task that it judges: retrieval or rating."""
        return self.metric.task

    @property
    def measured(self) -> MetricName:
        """The metric whose value and interval are judged."""
        return self.metric.of(self.subject)

    @property
    def key(self) -> str:
        """The name under which the gate's clearance is written."""
        return f"gate/{self.kind.value}/{self.metric}/{self.slice}"

    def clearance(self, metrics: Mapping[MetricName, float]) -> float:
        """How far the gate is from failing: below 0 it fails; NaN, which fails too, if no number.

        A metric that is absent is no number; one without an interval is judged by its value.
        """
        value = metrics.get(self.measured, math.nan)
        low, high = (metrics.get(end, value) for end in self.measured.ends)
        return self._clearance(value, low, high)

    @abstractmethod
    def _clearance(self, value: float, low: float, high: float) -> float:
        """As `clearance`, from the value and the ends of its interval."""

    @abstractmethod
    def describe(self, value: float, interval: Interval | None, passed: bool) -> str:
        """How the gate ended, in words, where the value and its interval are numbers."""


@dataclass(frozen=True)
class BaselineGate(MetricGate):
    """A gain over a built-in baseline has to be above the bound: better by luck does not pass."""

    kind: Kind = field(default=Kind.BASELINE, init=False)
    subject: ClassVar[Subject] = Subject.GAIN

    def _clearance(self, value: float, low: float, high: float) -> float:
        # The bound is exclusive: a model that is its baseline does not pass.
        return low - self.bound - SLACK

    def describe(self, value: float, interval: Interval | None, passed: bool) -> str:
        """Says on which side of the baseline the metric is, and whether by enough."""
        side = "above" if (value >= 0) != self.metric.lower_is_better else "below"
        verdict = "clears" if passed else "does not clear"
        return (
            f"{self.metric} is {abs(value):.4f} {side} the baseline's (interval of the gain "
            f"{_words(interval)}), which {verdict} the margin of {self.bound:g}"
        )


@dataclass(frozen=True)
class BlessedGate(MetricGate):
    """A change against the latest blessed model must not be for the worse.

    It fails when it is beyond the tolerance and its whole interval is a change for the worse: a
    model that is no worse is not refused for bad luck. The bound is the tolerance, below 0 for a
    metric of which more is better.
    """

    kind: Kind = field(default=Kind.BLESSED, init=False)
    subject: ClassVar[Subject] = Subject.CHANGE

    def _clearance(self, value: float, low: float, high: float) -> float:
        if self.metric.lower_is_better:
            return _largest(self.bound - value, -low) + SLACK
        return _largest(value - self.bound, high) + SLACK

    def describe(self, value: float, interval: Interval | None, passed: bool) -> str:
        """Says how the metric changed, and whether that is within the tolerance."""
        if value == 0:
            return f"{self.metric} is the same"
        start = f"{self.metric} changed by {value:+.4f} (interval {_words(interval)})"
        tolerance = abs(self.bound)
        if (value > 0) != self.metric.lower_is_better:
            return f"{start}, for the better"
        if not passed:
            return f"{start}, beyond the tolerance of {tolerance:g} and not by chance"
        if abs(value) <= tolerance:
            return f"{start}, within the tolerance of {tolerance:g}"
        return f"{start}, beyond the tolerance of {tolerance:g}, but it may be chance"


@dataclass(frozen=True)
class AbsoluteGate(MetricGate):
    """A value has to keep to the bound at the unfavourable end of its interval."""

    kind: Kind = field(default=Kind.ABSOLUTE, init=False)

    @property
    def side(self) -> str:
        """On which side of the bound the value has to be, in words."""
        return "at most" if self.metric.lower_is_better else "at least"

    def _clearance(self, value: float, low: float, high: float) -> float:
        return self.bound - high if self.metric.lower_is_better else low - self.bound

    def describe(self, value: float, interval: Interval | None, passed: bool) -> str:
        """Says whether the value is within the bound, and whether that is sure."""
        ends = f" (interval {_words(interval)})" if interval else ""
        bound = f"the bound of {self.side} {self.bound:g}"
        start = f"{self.metric} is {value:.4f}{ends}, "
        if passed:
            return f"{start}within {bound}"
        if self.is_outside(value):
            return f"{start}outside {bound}"
        return f"{start}within {bound}, but not surely: the interval reaches beyond it"

    def is_outside(self, value: float) -> bool:
        """Whether the value itself breaks the bound, whatever its interval."""
        return value > self.bound if self.metric.lower_is_better else value < self.bound


@dataclass(frozen=True)
class ListGate(AbsoluteGate):
    """A measure of the lists has to keep to the bound."""

    kind: Kind = field(default=Kind.LISTS, init=False)

    def describe(self, value: float, interval: Interval | None, passed: bool) -> str:
        """Says what the value is and what is asked."""
        shown = "no number" if math.isnan(value) else f"{value:.4f}"
        return f"{self.metric} is {shown} where {self.side} {self.bound:g} is asked"


def _largest(one: float, other: float) -> float:
    """The larger number; NaN if either is none."""
    return math.nan if math.isnan(one) or math.isnan(other) else max(one, other)


def _words(interval: Interval | None) -> str:
    return " to ".join(f"{end:.4f}" for end in interval or ())
