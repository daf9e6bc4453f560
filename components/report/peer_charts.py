"""The model beside simple recommenders, and over the time of eval: charts, a table, sentences."""

import datetime
from collections.abc import Mapping
from typing import Any

import altair as alt

from components.pages.charts import ENDS, Rows, Spec, described, finished, inline
from components.pages.numbers import interval
from components.peers.asked import MODEL
from components.peers.measure import for_people
from components.report.charts import model_colour

Content = Mapping[str, Any]
EPOCH = datetime.datetime(1970, 1, 1)
KINDS = {True: "candidate", False: "baseline"}


def drawn_peers(peers: Content) -> dict[str, Spec]:
    """The charts that there are data for, by id; `peers` is what `measure` returns."""
    if not peers:
        return {}
    specs = {"peers": described(_beside(peers), peer_words(peers))}
    if peers["times"]:
        specs["over-time"] = described(_over_time(peers), _time_words(peers))
    return specs


def peer_words(peers: Content) -> str:
    """Which of the simple recommenders is best, and whether the model is surely better."""
    others = [row for row in peers["models"] if not row["model"].startswith(MODEL)]
    own = next(row for row in peers["models"] if row["model"] == MODEL)
    best = max(others, key=lambda row: row["value"])
    low, high = (best["gain"][end] for end in ("low", "high"))
    sure = low is not None and (low > 0 or high < 0)
    ahead = "ahead" if best["gain"]["value"] >= 0 else "behind"
    told = (
        f"The best simple recommender here is {best['model']}, with a hit rate of "
        f"{best['value']:.2%}; the candidate's is {own['value']:.2%}, "
        f"{'surely' if sure else 'perhaps by chance'} {ahead}."
    )
    mixed = next((row for row in peers["models"] if row["model"] == for_people(peers["mix"])), None)
    if mixed is None:
        return told
    return f"{told} In the order for people, a mix of {peers['mix']:g}, it is {mixed['value']:.2%}."


def peer_table(peers: Content) -> list[dict[str, Any]]:
    """Name, hit rate and the candidate's gain, with intervals, of each recommender."""
    return [
        {
            "model": row["model"],
            "cells": [
                interval([row[end] for end in ENDS]),
                interval([row["gain"][end] for end in ENDS]) if "gain" in row else "",
            ],
        }
        for row in peers["models"]
    ]


def _beside(peers: Content) -> Spec:
    rows: Rows = [
        {
            "label": row["model"],
            "model": KINDS[row["model"].startswith(MODEL)],
            **{e: row[e] for e in ENDS},
        }
        for row in peers["models"]
    ]
    order = [row["label"] for row in sorted(rows, key=lambda row: -row["value"])]
    base = alt.Chart(inline(rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(grid=True, ticks=False)),
        color=model_colour(rows).legend(None),
        tooltip=["label:N", *(alt.Tooltip(f"{end}:Q", format=".2%") for end in ENDS)],
    )
    axis = alt.Axis(format="%", tickCount=5)
    whiskers = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=f"hit rate at {peers['k']}", axis=axis), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x="value:Q")
    return finished(whiskers + points, height=60 + 24 * len(rows))


def _over_time(peers: Content) -> Spec:
    rows = [
        {**row, "model": KINDS[row["model"] == MODEL], "start": _moment(row["start"])}
        for row in peers["times"]
    ]
    base = alt.Chart(inline(rows)).encode(
        x=alt.X("start:T", title=None, axis=alt.Axis(tickCount=5, labelOverlap=True)),
        color=model_colour(rows).legend(symbolOpacity=1),
        tooltip=["model:N", "start:T", "rows:Q",
                 *(alt.Tooltip(f"{end}:Q", format=".2%") for end in ENDS)],
    )  # fmt: skip
    axis = alt.Axis(format="%", tickCount=5)
    band = base.mark_area(opacity=0.15).encode(
        y=alt.Y("low:Q", title=f"hit rate at {peers['k']}", axis=axis), y2="high:Q"
    )
    line = base.mark_line(point=True).encode(y="value:Q")
    return finished(band + line)


def _moment(microseconds: int) -> str:
    """A moment as Vega reads it, in its own time zone."""
    return (EPOCH + datetime.timedelta(microseconds=microseconds)).isoformat(timespec="seconds")


def _time_words(peers: Content) -> str:
    own = [row for row in peers["times"] if row["model"] == MODEL]
    told = ", ".join(f"{_moment(row['start'])[:10]} {row['value']:.2%}" for row in own)
    return f"The candidate's hit rate in parts of eval that follow each other: {told}."
