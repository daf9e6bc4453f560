"""What the first screen of a report says: the verdict in plain words, then what it rests on."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.gates import GatesConfig
from components.evaluation.metric_name import RMSE, MetricName, Subject
from components.pages.numbers import interval, number
from components.report.wording import rival, share

Content = Mapping[str, Any]
BEHIND = ("people", "ratings", "measure", "model", "baseline", "gain")  # the cells of `behind`
SHOWN = 5  # most failures with the same next step; the gates' table has all
MEASURED = ("lists", "ratings")  # what a blessed model's verdict says of it


def decides(blessing: Content) -> dict[str, list[Any]]:
    """The sentences of the first screen.

    Returns:
      said: what a blessed model reaches in what was judged; for want of it, the reasons.
      failed: the failures that have the same next step: their sentences, how many `more` there
        are, and the step; empty where the model is blessed.
      rest: the other sentences of the summary.
    """
    summary, failed = blessing.get("summary", []), _by_step(blessing.get("failures", []))
    judged = {gate["metric"] for gate in blessing["gates"] if gate["judged"]}
    said = [
        one["sentence"]
        for one in summary
        if blessing["blessed"] and one["about"] in MEASURED and judged & one["figures"].keys()
    ]
    told = [*said, *(sentence for step in failed for sentence in step["sentences"])]
    return {
        "said": said or [f"{reason}." for reason in blessing["reasons"] if not failed],
        "failed": failed,
        "rest": [one["sentence"] for one in summary if one["sentence"] not in told],
    }


def _by_step(failures: Sequence[Content]) -> list[dict[str, Any]]:
    steps: dict[str, list[str]] = {}
    for failure in failures:
        steps.setdefault(failure["next"], []).append(failure["sentence"])
    return [
        {"sentences": told[:SHOWN], "more": max(0, len(told) - SHOWN), "next": step}
        for step, told in steps.items()
    ]


def behind(blessing: Content, settings: GatesConfig) -> list[dict[str, Any]]:
    """The slice and the figures behind each sentence of the summary, with the cells of `BEHIND`."""
    return [
        _cells(one, blessing["slices"].get(one["slice"], {}), settings)
        for one in blessing.get("summary", [])
        if any(isinstance(value, float) for value in one["figures"].values())
    ]


def _cells(finding: Content, size: Content, settings: GatesConfig) -> dict[str, Any]:
    figures = finding["figures"]
    sizes = [f"{size[name]:,}" if name in size else "" for name in ("users", "ratings")]
    metric = next((n for n in (settings.hit_rate, MetricName(RMSE)) if str(n) in figures), None)
    if metric is None:
        name, value = next((n, v) for n, v in figures.items() if isinstance(v, float))
        compared = [name.replace("_", " "), share(value), "", ""]
    else:
        gain = metric.of(Subject.GAIN)
        ends = (figures.get(str(name)) for name in (gain, *gain.ends))
        values = (number(figures.get(str(name))) for name in (metric, rival(metric)))
        compared = [str(metric), *values, interval(list(ends))]
    return {"about": finding["about"], "slice": finding["slice"], "cells": [*sizes, *compared]}
