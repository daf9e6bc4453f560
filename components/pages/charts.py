"""The charts that several pages draw, as Vega-Lite specifications; colours are CSS variables."""

from collections.abc import Mapping
from typing import Any

import altair as alt

Spec = dict[str, Any]
Rows = list[dict[str, Any]]
ENDS = ("value", "low", "high")
SHAPES = ["circle", "triangle-up"]  # judged, too few users
# Vega measures texts by name: a list of fonts that the page uses too.
FONT = 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
# Each number with a prefix of its own: an axis' format would write 0 as 0k.
SHORT = "format(datum.value, '~s')"
INK, FAINT = "var(--ink)", "var(--line)"
MODEL_COLOURS = ["var(--candidate)", "var(--blessed)", "var(--baseline)"]
DATA = ("values", "sort", "domain")  # lists in a specification that hold what `datasets` do
OWN = {  # what every object of JavaScript has
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString",
    "toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__",
    "__lookupSetter__",
}  # fmt: skip
INVISIBLE = "\u2060"  # a word joiner, which has no width
VERDICT_COLOURS = {
    "better": "var(--good)",
    "no clear difference": "var(--baseline)",
    "worse": "var(--bad)",
}


def inline(rows: Rows) -> Any:
    """Rows as data that stand in the specification itself."""
    return alt.InlineData(values=rows)


def finished(chart: Any, height: int = 240) -> Spec:
    """Gives a chart the page's width and looks."""
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
    chart = chart.properties(width="container", height=height, background="transparent")
    chart = chart.configure(font=FONT, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    chart = chart.configure_view(stroke=None).configure_axis(
        gridColor=FAINT, domainColor=FAINT, tickColor=FAINT, titleFontWeight="normal",
        labelLimit=190, **text,
    )  # fmt: skip
    chart = chart.configure_legend(orient="top", title=None, labelLimit=220, **text)
    return _without_own_names(chart.to_dict())


def _without_own_names(part: Any, of_data: bool = False) -> Any:
    """A part of a specification whose data are no names of JavaScript's own.

    Vega keeps groups in plain objects, in which it finds "constructor" before anything is there,
    and draws nothing. An invisible letter in front tells them apart.
    """
    if isinstance(part, dict):
        lists = {key for key, value in part.items() if key in DATA and isinstance(value, list)}
        return {
            key: _without_own_names(value, of_data or key in lists or key == "datasets")
            for key, value in part.items()
        }
    if isinstance(part, list):
        return [_without_own_names(value, of_data) for value in part]
    return INVISIBLE + part if of_data and isinstance(part, str) and part in OWN else part


def forest(rows: Rows, title: str, colours: Mapping[str, str] = VERDICT_COLOURS) -> Spec:
    """Differences with their intervals (label, value, low, high, verdict), zero marked.

    With the verdicts' usual colours, points right of zero are in the model's favour.
    """
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    colour = alt.Color("verdict:N", scale=scale, legend=None)
    order = [row["label"] for row in rows]
    base = alt.Chart(inline(rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(grid=True, ticks=False)),
        color=colour,
        tooltip=["label:N", *(alt.Tooltip(f"{end}:Q", format="+.4f") for end in ENDS),
                 "verdict:N"],
    )  # fmt: skip
    zero = alt.Chart(inline([{"zero": 0}])).mark_rule(stroke=INK, strokeDash=[3, 3])
    whiskers = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, axis=alt.Axis(format="+.3~g", tickCount=5)), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="value:Q",
        shape=alt.Shape("judged:N", scale=alt.Scale(domain=[True, False], range=SHAPES),
                        legend=None),
    )  # fmt: skip
    layers = alt.layer(zero.encode(x="zero:Q"), whiskers, points)
    return finished(layers, height=60 + 19 * len(rows))


def bars(rows: Rows, x: str, number: str) -> Spec:
    """Plain bars of (bucket, number), in the rows' order."""
    chart = alt.Chart(inline(rows)).mark_bar(color=MODEL_COLOURS[0])
    order = [row["bucket"] for row in rows]
    slanted = any(len(str(name)) > 4 for name in order)
    axis = alt.Axis(labelAngle=-45 if slanted else 0, labelOverlap=not slanted)
    return finished(
        chart.encode(
            x=alt.X("bucket:O", sort=order, title=x, axis=axis),
            y=alt.Y("number:Q", title=number, axis=alt.Axis(labelExpr=SHORT, tickCount=4)),
            tooltip=[alt.Tooltip("bucket:O", title=x), alt.Tooltip("number:Q", format=",")],
        ),
        height=200,
    )


def described(spec: Spec, words: str) -> Spec:
    """Gives a chart the text that stands for it where it cannot be seen."""
    return {**spec, "description": words}
