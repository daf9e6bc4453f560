"""Names of metrics: the one place where a name is built, written and read.

A name is written as `[SUBJECT/][unmasked/]MEASURE[@K][/END]`: `gain/unmasked/hit_rate@10/low` is
the low end of the interval of the gain in hit rate over popularity, with the movies already seen
ranked too. TFMA's results, blessing.json and the settings of the gates hold names in this form.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TypeVar

Value = TypeVar("Value")

RETRIEVAL, RATING = "retrieval", "rating"  # the tasks of the model
HIT_RATE, NDCG, MRR = "hit_rate", "ndcg", "mrr"
RMSE, MAE = "rmse", "mae"
ERRORS = (RMSE, MAE)
PER_EXAMPLE = (HIT_RATE, NDCG, MRR, *ERRORS)  # means over the evaluated examples
CALIBRATION_ERROR = "calibration_error"
LIST_MEASURES = (
    "coverage", "novelty", "diversity", "popularity_lift", "genre_divergence", "full_list",
)  # fmt: skip
LOWER_IS_BETTER = (*ERRORS, CALIBRATION_ERROR, "popularity_lift", "genre_divergence")


class Subject(str, Enum):
    """Whose value a metric is."""

    MODEL = ""
    POPULARITY = "popularity"
    BIAS = "bias"  # the user+movie bias baseline
    GAIN = "gain"  # the model's advantage over its baseline: above 0 the model is better
    CHANGE = "change"  # the model's value less the blessed model's


class End(str, Enum):
    """Which number of a metric: its value, or an end of its interval."""

    VALUE = ""
    LOW = "low"
    HIGH = "high"


NAME = re.compile(
    rf"(?:({'|'.join(s.value for s in Subject if s.value)})/)?(unmasked/)?"
    rf"({'|'.join((*PER_EXAMPLE, CALIBRATION_ERROR, *LIST_MEASURES))})"
    rf"(?:@([1-9][0-9]*))?(?:/({'|'.join(e.value for e in End if e.value)}))?"
)


@dataclass(frozen=True)
class MetricName:
    """The name of one metric.

    measure: one of `PER_EXAMPLE` or `LIST_MEASURES`, or `CALIBRATION_ERROR`.
    k: the length of the list; None for a measure without one (`ndcg` without a k has no cut).
    unmasked: whether movies already seen are ranked too.
    subject: whose value it is.
    end: the value itself, or an end of its interval.
    """

    measure: str
    k: int | None = None
    unmasked: bool = False
    subject: Subject = Subject.MODEL
    end: End = End.VALUE

    def __str__(self) -> str:
        parts = [
            self.subject.value,
            "unmasked" if self.unmasked else "",
            self.measure if self.k is None else f"{self.measure}@{self.k}",
            self.end.value,
        ]
        return "/".join(part for part in parts if part)

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(text: str) -> "MetricName":
        """Reads a name as `str` writes it.

        Raises:
          ValueError: it is no name of a metric.
        """
        match = NAME.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no name of a metric")
        subject, unmasked, measure, k, end = match.groups()
        return MetricName(
            measure, int(k) if k else None, unmasked is not None, Subject(subject or ""),
            End(end or ""),
        )  # fmt: skip

    def of(self, subject: Subject) -> "MetricName":
        """The same metric of another subject."""
        return replace(self, subject=subject)

    @property
    def ends(self) -> tuple["MetricName", "MetricName"]:
        """The names of the low and the high end of its interval."""
        return replace(self, end=End.LOW), replace(self, end=End.HIGH)

    @property
    def task(self) -> str:
        """The task that it measures: `RETRIEVAL` or `RATING`."""
        return RATING if self.measure in (*ERRORS, CALIBRATION_ERROR) else RETRIEVAL

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower value is the better one; a gain is always better when higher."""
        return self.measure in LOWER_IS_BETTER and self.subject is not Subject.GAIN

    @property
    def has_interval(self) -> bool:
        """Whether it is the value of a mean over examples, which the Evaluator resamples."""
        return self.measure in PER_EXAMPLE and self.end is End.VALUE

    @property
    def is_own(self) -> bool:
        """Whether it is the model's own value of a mean over examples."""
        return self.has_interval and self.subject is Subject.MODEL


def metrics_in(values: Mapping[str, Value]) -> dict[MetricName, Value]:
    """The metrics among values by text, in their order; counts and gates are left out."""
    return {MetricName.parse(text): value for text, value in values.items() if NAME.fullmatch(text)}
