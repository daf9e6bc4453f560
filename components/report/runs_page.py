"""One page over all runs of an output directory."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.metric_name import HIT_RATE, RMSE, MetricName
from components.evaluation.slices import OVERALL
from components.pages.charts import described
from components.pages.html import html
from components.pages.numbers import number
from components.report import charts
from components.report.page import PACKAGE, headline

Content = Mapping[str, Any]


def render_history(runs: Sequence[tuple[Content, str]]) -> str:
    """Renders the page.

    Args:
      runs: the content of each blessing.json and where its report is, oldest first.
    """
    rows = [_row(run) | {"link": link} for run, link in runs]
    specs = {
        key: described(charts.timeline(_points(rows, key)), _words(rows, key, title))
        for key, title in (("hit-rate", "Gated hit rate"), ("rmse", "RMSE"))
        if _points(rows, key)
    }
    return html("history.html.j2", {"rows": rows[::-1]}, specs, PACKAGE)


def _row(run: Content) -> dict[str, Any]:
    metrics = run["metrics"][OVERALL]
    gated = str(MetricName(HIT_RATE, run["config"]["gates"]["k"]))
    values = {"hit-rate": metrics.get(gated), "rmse": metrics.get(RMSE)}
    return {
        "run": run["run_id"],
        "blessed": run["blessed"],
        "verdict": "blessed" if run["blessed"] else "not blessed",
        "headline": headline(run),
        "source": run["config"]["source"],
        "split": run["split"]["kind"],
        "ratings": f"{run['rows']['kept']:,}",
        "gated": gated,
        "values": values,
        "cells": {
            name: number(metrics[key]) if key in metrics else "none"
            for name, key in (("hit-rate", gated), ("rmse", RMSE))
        },
        "seconds": f"{sum(run['seconds'].values()):,.0f}",
    }


def _points(rows: Sequence[Content], key: str) -> list[dict[str, Any]]:
    return [
        {"run": row["run"], "value": row["values"][key], "verdict": row["verdict"]}
        for row in rows
        if row["values"][key] is not None
    ]


def _words(rows: Sequence[Content], key: str, title: str) -> str:
    parts = (f"{row['run']} {row['cells'][key]}, {row['verdict']}" for row in rows)
    return f"{title} of each run: {'; '.join(parts)}."
