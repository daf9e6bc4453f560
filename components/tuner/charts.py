"""The charts of a search: its settings as parallel coordinates, and its Pareto front."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt

from components.pages.charts import INK, Rows, Spec, finished

Content = Mapping[str, Any]
GROUPS = {
    "best score": "var(--good)",
    "your settings": "var(--blessed)",
    "on the front": "var(--candidate)",
    "other trials": "var(--baseline)",
}


def coordinates(
    space: Mapping[str, Any], done: Sequence[Content], groups: Mapping[int, str]
) -> Spec:
    """Parallel coordinates: a row per setting, a line per trial from the first to the last."""
    names, lines = list(space), list(_line_points(space, done, groups))
    y = alt.Y("setting:N", sort=names, title=None, axis=alt.Axis(grid=True, ticks=False))
    x = alt.X("at:Q", title=None, axis=None, scale=alt.Scale(domain=[-0.03, 1.03], nice=False))
    base = alt.Chart(alt.InlineData(values=lines)).encode(y=y, x=x, color=_colour(groups))
    marked = "datum.group === 'best score' || datum.group === 'your settings'"
    drawn = base.mark_line(interpolate="monotone").encode(
        detail="trial:N", order="order:Q",
        opacity=alt.condition(marked, alt.value(1.0), alt.value(0.35)),
        strokeWidth=alt.condition(marked, alt.value(3), alt.value(1.2)),
    )  # fmt: skip
    points = base.mark_point(filled=True, size=30).encode(
        opacity=alt.condition(marked, alt.value(1.0), alt.value(0.4)),
        tooltip=["trial:N", "setting:N", alt.Tooltip("shown:N", title="value"),
                 alt.Tooltip("score:Q", format=".4f")],
    )  # fmt: skip
    ends = alt.Chart(alt.InlineData(values=list(_labels(space))))
    texts = ends.mark_text(dy=-11, fontSize=11, color=INK).encode(
        y=y, x=x, text="text:N"
    )  # fmt: skip
    return finished(alt.layer(drawn, points, texts), height=50 + 42 * len(names))


def front(done: Sequence[Content], groups: Mapping[int, str], best: Sequence[int]) -> Spec:
    """NDCG over RMSE by trial, and the line through `best`, those that no other beats in both."""
    rows: Rows = [
        {"trial": row["trial"], "ndcg": row["ndcg"], "rmse": row["rmse"],
         "score": row["score"], "group": groups[row["trial"]], "epochs": row["epochs"]}
        for row in done
    ]  # fmt: skip
    scale = alt.Scale(zero=False, padding=12)
    axes: dict[str, Any] = {
        "x": alt.X("rmse:Q", scale=scale, title="RMSE on valid (left is better)"),
        "y": alt.Y("ndcg:Q", scale=scale, title="NDCG on valid (up is better)",
                   axis=alt.Axis(tickCount=5)),
    }  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(**axes)
    points = base.mark_point(filled=True, opacity=0.9).encode(
        color=_colour(groups),
        size=alt.condition(
            "datum.group === 'other trials'", alt.value(45), alt.value(110)
        ),
        tooltip=["trial:N", "epochs:Q", *(alt.Tooltip(f"{name}:Q", format=".4f")
                                          for name in ("score", "ndcg", "rmse"))],
    )  # fmt: skip
    chosen = alt.InlineData(values=[row for row in rows if row["trial"] in best])
    line = alt.Chart(chosen).mark_line(stroke=GROUPS["on the front"], interpolate="step-after")
    line = line.encode(**axes, order="rmse:Q", strokeWidth=alt.value(1.5))
    return finished(alt.layer(line, points), height=320)


def place(values: Any, value: Any) -> float:
    """Where a value stands between its setting's first and last, from 0 to 1."""
    if isinstance(values, list):
        return float(values.index(value) / max(1, len(values) - 1))
    low, high = values["low"], values["high"]
    if values["scale"] == "log":
        low, high, value = math.log(low), math.log(high), math.log(value)
    return float((value - low) / (high - low))


def shown(value: Any) -> str:
    """A value in short."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _line_points(
    space: Mapping[str, Any], done: Sequence[Content], groups: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """The points of each trial's line, one for each setting; the best trial's come last."""
    ranked = sorted(done, key=lambda row: row["score"])
    for rank, row in enumerate(ranked):
        for order, name in enumerate(space):
            yield {
                "setting": name, "at": place(space[name], row["values"][name]), "order": order,
                "trial": row["trial"], "group": groups[row["trial"]], "score": row["score"],
                "shown": shown(row["values"][name]), "rank": rank / max(1, len(ranked) - 1),
            }  # fmt: skip


def _labels(space: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, values in space.items():
        known = values if isinstance(values, list) else [values["low"], values["high"]]
        for value in known:
            yield {"setting": name, "at": place(values, value), "text": shown(value)}


def _colour(groups: Mapping[int, str]) -> Any:
    present = [name for name in GROUPS if name in groups.values()]
    colours = [GROUPS[name] for name in present]
    legend = alt.Legend(columns=2)  # all four do not fit on a phone
    return alt.Color("group:N", scale=alt.Scale(domain=present, range=colours), legend=legend)
