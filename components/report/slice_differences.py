"""How the candidate differs from what it is compared with, slice by slice, as charts show it."""

import math
import re
from collections.abc import Mapping
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import RATING, RMSE, MetricName, Subject
from components.evaluation.slices import OVERALL, parse_slice
from components.pages.charts import Rows
from components.report.evaluator_output import Evaluation

FEWEST = 2  # users that an interval needs
_NUMBER = re.compile(r"(under )?(-?\d+(?:\.\d+)?)", re.ASCII)


def slice_rows(
    config: GatesConfig, evaluation: Evaluation, subject: Subject | None = None
) -> dict[str, Rows]:
    """Every slice's difference in hit rate and in RMSE with its interval, by metric.

    Slices in which nothing is rated have none of RMSE. The difference is the gain over the baseline
    or the change against the blessed model, by `subject`; default: the change where there is one.
    It is turned so that above 0 is always in the candidate's favour.
    """
    if subject is None:
        subject = Subject.GAIN if evaluation.blessed is None else Subject.CHANGE
    by_metric = {}
    for metric in (config.hit_rate, MetricName(RMSE)):
        name = metric.of(subject)
        rows = [
            _difference(key, values, name, config.slice_users)
            for key, values in evaluation.candidate.items()
            if str(name) in values
        ]
        shown = (row for row in rows if row["users"] >= FEWEST and math.isfinite(row["value"]))
        by_metric[str(metric)] = sorted(shown, key=lambda row: slice_order(row["label"], config))
    return by_metric


def _difference(
    key: str, values: Mapping[str, float], name: MetricName, least: int
) -> dict[str, Any]:
    """A chart's row; a slice of fewer than `least` users was not judged."""
    users = int(values["rated_users" if name.task == RATING else "users"])
    turn = -1.0 if name.lower_is_better else 1.0
    low, high = sorted(turn * values[str(end)] for end in name.ends)
    verdict = "better" if low > 0 else "worse" if high < 0 else "no clear difference"
    return {
        "label": key,
        "value": turn * values[str(name)],
        "low": low,
        "high": high,
        "verdict": verdict,
        "users": users,
        "judged": key == OVERALL or users >= least,
    }


def slice_order(name: str, config: GatesConfig) -> tuple[Any, ...]:
    """Where a slice stands: the overall one first, then by dimension, then by value.

    Values that begin with a number stand by it, ahead of all others: 9 to 12 before 12 to 20.
    """
    if name == OVERALL:
        return (0,)
    dimensions, values = zip(*parse_slice(name), strict=True)
    places = [_place(value or "") for value in values]
    return (len(dimensions), [config.order.index(d) for d in dimensions], places, values)


def _place(value: str) -> tuple[float, bool]:
    """The number that a value begins with, what is under it first; infinity where there is none."""
    found = _NUMBER.match(value)
    return (float(found[2]), not found[1]) if found else (math.inf, True)
