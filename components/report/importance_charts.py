"""What each group of inputs is worth: a chart for lists, one for ratings, and all as a table."""

from collections.abc import Mapping
from typing import Any

from components.pages.charts import ENDS, Rows, Spec, described, forest
from components.pages.numbers import interval

Content = Mapping[str, Any]
MATTERS, UNCLEAR, MISLEADS = "matters", "no clear difference", "better without"
COLOURS = {
    MATTERS: "var(--candidate)",
    UNCLEAR: "var(--baseline)",
    MISLEADS: "var(--bad)",
}
TITLES = {
    "ndcg": "NDCG lower by",
    "hit_rate@10": "hit rate lower by",
    "rmse": "RMSE higher by",
}
CAPTIONS = {
    "ndcg": ("importance-lists", "For its lists", "NDCG without a cut; right of 0 is worse."),
    "rmse": (
        "importance-ratings",
        "For its ratings",
        "RMSE on the rating scale; right of 0 is worse.",
    ),
}


def drawn_importance(importance: Content) -> dict[str, Spec]:
    """A chart for lists and one for ratings, by id; `importance` is what importance.json holds."""
    specs = {}
    for measure, (name, caption, note) in CAPTIONS.items():
        if measure not in importance["base"]:
            continue
        rows = ranked(importance, measure)
        losses = ", ".join(f"{row['label']} {interval(_ends(row))}" for row in rows)
        words = f"{caption}, by group that is shuffled: {TITLES[measure]} {losses}."
        spec = described(forest(rows, TITLES[measure], COLOURS), words)
        specs[name] = {**spec, "usermeta": {"caption": caption, "note": note}}
    return specs


def ranked(importance: Content, measure: str) -> Rows:
    """The groups as a chart shows them, the one that matters most to a measure first."""
    rows = [_row(group["group"], group[measure]) for group in importance["groups"]]
    return sorted(rows, key=lambda row: -float(row["value"]))


def importance_table(importance: Content) -> dict[str, Any]:
    """Every group's losses with their intervals, in the order of the chart of lists."""
    by_name = {group["group"]: group for group in importance["groups"]}
    titles = {name: title for name, title in TITLES.items() if name in importance["base"]}
    rows = [
        {
            "group": row["label"],
            "cells": [interval(_ends(by_name[row["label"]][name])) for name in titles],
        }
        for row in ranked(importance, "ndcg")
    ]
    return {"titles": list(titles.values()), "rows": rows}


def _row(group: str, loss: Mapping[str, float]) -> dict[str, Any]:
    verdict = MATTERS if loss["low"] > 0 else MISLEADS if loss["high"] < 0 else UNCLEAR
    return {"label": group, "verdict": verdict, "judged": True, **loss}


def _ends(loss: Mapping[str, float]) -> list[float | None]:
    return [round(loss[end], 4) + 0.0 for end in ENDS]  # a zero must not have a minus
