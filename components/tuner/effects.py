"""What mattered in a search: the mean score by a setting's value, with an interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Content = Mapping[str, Any]
Array = NDArray[Any]
LEVEL = 0.95
FEWEST = 3  # configurations that a mean needs for an interval
RANGE_PARTS = 3


def relative(done: Sequence[Content]) -> list[tuple[Mapping[str, Any], float]]:
    """Each configuration once: its values, and its score less the mean score of its rung.

    Trials of more epochs score higher whatever their settings, so each is compared with those that
    were given as many. Of a configuration that went on, its first trial counts: all have one. A
    trial that the end of the minutes cut short is left out.
    """
    first = [row for row in done if row["goes_on_from"] is None and not row["cut"]]
    rungs: dict[Any, list[float]] = {}
    for row in first:
        rungs.setdefault(row["rung"], []).append(row["score"])
    return [
        (row["values"], row["score"] - float(np.mean(rungs[row["rung"]])))
        for row in first
        if len(rungs[row["rung"]]) > 1
    ]


def effects(space: Mapping[str, Any], done: Sequence[Content]) -> list[dict[str, Any]]:
    """Rows for a chart: label, value, low and high (Student's t), verdict and judged.

    Args:
      space: setting to choices, or to a range, of which each third is a row.
      done: the trials that came to an end.
    """
    tried = relative(done)
    scores = np.array([score for _, score in tried])
    rows = []
    for name, values in space.items():
        short = name.partition(".")[2] or name
        for label, chosen in _parts(values, [own[name] for own, _ in tried]):
            if chosen.sum() >= FEWEST:
                rows.append(_row(f"{short} {label}", scores[chosen]))
    return rows


def _parts(values: Any, tried: Sequence[Any]) -> list[tuple[str, Array]]:
    """A setting's choices, or the thirds of what was tried, and which configurations have them."""
    if isinstance(values, list):
        return [(f"= {value}", np.array([one == value for one in tried])) for value in values]
    numbers = np.array(tried, np.float64)
    if not len(numbers):
        return []
    order = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
    parts = [order * RANGE_PARTS // len(numbers) == part for part in range(RANGE_PARTS)]
    return [
        (f"{numbers[part].min():.2g} to {numbers[part].max():.2g}", part)
        for part in parts
        if part.any()
    ]


def _row(label: str, scores: Array) -> dict[str, Any]:
    mean = float(scores.mean())
    error = float(scores.std(ddof=1) / np.sqrt(len(scores)))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(scores) - 1)) * error
    low, high = mean - reach, mean + reach
    verdict = "better" if low > 0 else "worse" if high < 0 else "no clear difference"
    ends = {"value": mean, "low": low, "high": high}
    return {"label": label, "verdict": verdict, "judged": True, "n": len(scores), **ends}
