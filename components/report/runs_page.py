"""One page over all runs of an output directory."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from components.evaluation.metric_name import HIT_RATE, RMSE, MetricName, metrics_in
from components.evaluation.slices import OVERALL
from components.pages.charts import Rows, described
from components.pages.html import html, script_json
from components.pages.numbers import interval
from components.report import charts
from components.report.page import PACKAGE, ended, headline
from components.report.run_settings import NONE, changed, settings

Content = Mapping[str, Any]
SHOWN = 5  # most changed settings that a row names
NEWEST = 12  # runs that are listed before the page is asked for more
NO_ENDS = (None, None)  # of a metric without an interval


def render_history(runs: Sequence[tuple[Content, str]], states: Mapping[str, str]) -> str:
    """Renders the page.

    Args:
      runs: the content of each blessing.json and where its report is, oldest first.
      states: what became of each pushed version, by its number.
    """
    rows = [_row(run, states) | {"link": link} for run, link in runs]
    for earlier, later in pairwise(rows):
        later |= {"changed": changed(earlier["settings"], later["settings"]), "earlier": True}
    specs = {
        key: described(charts.timeline(points, title), _words(points, title))
        for key, title in (("hit-rate", "hit rate"), ("rmse", "RMSE"))
        if (points := _points(rows, key))
    }
    compared = [{name: row[name] for name in ("run", "facts", "metrics", "settings")}
                for row in rows]  # fmt: skip
    context = {"rows": rows[::-1], "shown": SHOWN, "newest": NEWEST,
               "compared": script_json(compared)}  # fmt: skip
    return html("history.html.j2", context, specs, PACKAGE)


def _row(run: Content, states: Mapping[str, str]) -> dict[str, Any]:
    gated = str(MetricName(HIT_RATE, run["config"]["gates"]["k"]))
    named = metrics_in(run["metrics"][OVERALL])
    metrics = {str(name): _with_ends(run, str(name)) for name in named if not name.unmasked}
    keys = {"hit-rate": gated, "rmse": RMSE}
    return {
        "run": run["run_id"],
        "blessed": run["blessed"],
        "headline": headline(run),
        "gated": gated,
        "values": {key: metrics.get(name) for key, name in keys.items()},
        "cells": {key: _cell(metrics.get(name)) for key, name in keys.items()},
        "data": f"{run['config']['source']}, {run['split']['kind']}",
        "facts": _facts(run, states),
        "metrics": metrics,
        "settings": settings(run),
        "changed": [],
        "earlier": False,
    }  # fmt: skip


def _facts(run: Content, states: Mapping[str, str]) -> dict[str, str]:
    """What is said of a run beside its metrics and settings, by title."""
    version = run.get("pushed_version")
    return {
        "verdict": headline(run),
        "ended": ended(run),
        "pushed version": f"{version}, {states.get(version, 'removed')}" if version else NONE,
        "ratings": f"{run['rows']['kept']:,}",
        "ratings in eval": f"{run['split']['eval']['ratings']:,}",
        "people in eval": f"{run['slices'].get(OVERALL, {}).get('users', 0):,}",
        "seconds": f"{sum(run['seconds'].values()):,.0f}",
    }


def _with_ends(run: Content, name: str) -> list[float | None]:
    """A metric's value and the ends of its interval, None where there is no such number."""
    return [run["metrics"][OVERALL][name], *run["intervals"].get(name, NO_ENDS)]


def _cell(entry: Sequence[float | None] | None) -> tuple[str, str]:
    """A metric's value as a text, and its interval in brackets; empty if there is none."""
    value, _, ends = interval(entry).partition(" ") if entry else (NONE, "", "")
    return value, ends


def _points(rows: Sequence[Content], key: str) -> Rows:
    return [
        {
            "run": row["run"],
            **dict(zip(("value", "low", "high"), row["values"][key], strict=True)),
            "verdict": "blessed" if row["blessed"] else "not blessed",
            "pushed version": row["facts"]["pushed version"],
        }
        for row in rows
        if row["values"][key] is not None and row["values"][key][0] is not None
    ]


def _words(points: Rows, title: str) -> str:
    parts = (
        f"{one['run']} {interval([one['value'], one['low'], one['high']])}, {one['verdict']}"
        for one in points
    )
    return f"{title} of each run: {'; '.join(parts)}."
