"""The report's charts as Vega-Lite specifications; colours are the page's CSS variables."""

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
MODELS = ("candidate", "blessed model", "baseline")
MODEL_COLOURS = ["var(--candidate)", "var(--blessed)", "var(--baseline)"]
VERDICT_COLOURS = {
    "better": "var(--good)",
    "no clear difference": "var(--baseline)",
    "worse": "var(--bad)",
}


def _data(rows: Rows) -> Any:
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
    spec: Spec = chart.to_dict()
    return spec


def model_colour(shown: Rows) -> Any:
    """Candidate, blessed model and baseline in their colours, as far as the rows hold them."""
    present = [name for name in MODELS if any(row["model"] == name for row in shown)]
    colours = [MODEL_COLOURS[MODELS.index(name)] for name in present]
    return alt.Color("model:N", scale=alt.Scale(domain=present, range=colours), title=None)


def hit_rate_over_k(rows: Rows) -> Spec:
    """Lines of hit rate over the length of the list (k, hit_rate, model), k on a log scale."""
    ks = sorted({row["k"] for row in rows})
    chart = alt.Chart(_data(rows)).mark_line(point=alt.OverlayMarkDef(size=45))
    return finished(
        chart.encode(
            x=alt.X("k:Q", scale=alt.Scale(type="log"), axis=alt.Axis(values=ks, format=",d"),
                    title="k, the length of the list"),
            y=alt.Y("hit_rate:Q", axis=alt.Axis(format="%", tickCount=5), title="hit rate at k"),
            color=model_colour(rows),
            tooltip=["model:N", "k:Q", alt.Tooltip("hit_rate:Q", format=".2%")],
        )
    )  # fmt: skip


def forest(rows: Rows, title: str, colours: Mapping[str, str] = VERDICT_COLOURS) -> Spec:
    """Differences with their intervals (label, value, low, high, verdict), zero marked.

    With the verdicts' usual colours, points right of zero are in the model's favour.
    """
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    colour = alt.Color("verdict:N", scale=scale, legend=None)
    order = [row["label"] for row in rows]
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(grid=True, ticks=False)),
        color=colour,
        tooltip=["label:N", *(alt.Tooltip(f"{end}:Q", format="+.4f") for end in ENDS),
                 "verdict:N"],
    )  # fmt: skip
    zero = alt.Chart(_data([{"zero": 0}])).mark_rule(stroke=INK, strokeDash=[3, 3])
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


def calibration(rows: Rows, scale: tuple[float, float]) -> Spec:
    """Mean true over mean predicted rating by band of prediction, with the ideal diagonal."""
    ends = alt.Scale(domain=list(scale), nice=False)
    ideal = alt.Chart(_data([{"p": end, "t": end} for end in scale]))
    line = ideal.mark_line(stroke=INK, strokeDash=[3, 3], strokeWidth=1).encode(
        x=alt.X("p:Q", scale=ends, title="mean predicted rating"),
        y=alt.Y("t:Q", scale=ends, title="mean true rating"),
    )
    points = alt.Chart(_data(rows)).mark_point(filled=True, opacity=0.75).encode(
        x="predicted:Q", y="true:Q", color=model_colour(rows),
        size=alt.Size("ratings:Q", legend=None, scale=alt.Scale(range=[20, 260])),
        tooltip=["model:N", alt.Tooltip("predicted:Q", format=".2f"),
                 alt.Tooltip("true:Q", format=".2f"), alt.Tooltip("ratings:Q", format=",")],
    )  # fmt: skip
    return finished(line + points, height=300)


def error_by_rating(rows: Rows) -> Spec:
    """Bars of RMSE by true rating (rating, rmse, ratings, model)."""
    present = [name for name in MODELS if any(row["model"] == name for row in rows)]
    chart = alt.Chart(_data(rows)).mark_bar()
    return finished(
        chart.encode(
            x=alt.X("rating:O", title="true rating", axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("model:N", sort=present),
            y=alt.Y("rmse:Q", title="RMSE", axis=alt.Axis(tickCount=5)),
            color=model_colour(rows),
            tooltip=["model:N", "rating:O", alt.Tooltip("rmse:Q", format=".3f"),
                     alt.Tooltip("ratings:Q", format=",")],
        )
    )  # fmt: skip


def training(rows: Rows, best: int, title: str) -> Spec:
    """Lines over epochs (epoch, value, series), the epoch that was kept marked."""
    names = sorted({row["series"] for row in rows})
    scale = alt.Scale(domain=names, range=MODEL_COLOURS[: len(names)])
    lines = alt.Chart(_data(rows)).mark_line(point=True).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False)),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
        color=alt.Color("series:N", scale=scale, legend=None if len(names) == 1 else alt.Legend()),
        tooltip=["series:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f")],
    )  # fmt: skip
    kept = alt.Chart(_data([{"epoch": best}])).mark_rule(stroke=INK, strokeDash=[3, 3])
    return finished(lines + kept.encode(x="epoch:Q"), height=200)


def bars(rows: Rows, x: str, number: str) -> Spec:
    """Plain bars of (bucket, number), in the rows' order."""
    chart = alt.Chart(_data(rows)).mark_bar(color=MODEL_COLOURS[0])
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


def timeline(rows: Rows) -> Spec:
    """Hit rate and RMSE of each run in time (run, value, metric, verdict), blessed or not."""
    colours = ["var(--good)", "var(--bad)"]
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("run:O", title=None, axis=alt.Axis(labelAngle=-35, labelLimit=130)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
    )
    points = base.mark_point(filled=True, size=90, opacity=1).encode(
        color=alt.Color(
            "verdict:N", scale=alt.Scale(domain=["blessed", "not blessed"], range=colours)
        ),
        tooltip=["run:N", alt.Tooltip("value:Q", format=".4f"), "verdict:N"],
    )
    return finished(base.mark_line(stroke="var(--baseline)", strokeWidth=1.5) + points, height=220)


def described(spec: Spec, words: str) -> Spec:
    """Gives a chart the text that stands for it where it cannot be seen."""
    return {**spec, "description": words}
