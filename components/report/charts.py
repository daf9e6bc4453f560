"""The charts of the report alone, as Vega-Lite specifications."""

from typing import Any

import altair as alt

from components.pages.charts import ENDS, INK, MODEL_COLOURS, Rows, Spec, finished, inline

MODELS = ("candidate", "blessed model", "baseline")


def model_colour(shown: Rows) -> Any:
    """Candidate, blessed model and baseline in their colours, as far as the rows hold them."""
    present = [name for name in MODELS if any(row["model"] == name for row in shown)]
    colours = [MODEL_COLOURS[MODELS.index(name)] for name in present]
    return alt.Color("model:N", scale=alt.Scale(domain=present, range=colours), title=None)


def hit_rate_over_k(rows: Rows) -> Spec:
    """Lines of hit rate over the length of the list (k, hit_rate, model), k on a log scale."""
    ks = sorted({row["k"] for row in rows})
    chart = alt.Chart(inline(rows)).mark_line(point=alt.OverlayMarkDef(size=45))
    return finished(
        chart.encode(
            x=alt.X("k:Q", scale=alt.Scale(type="log"), axis=alt.Axis(values=ks, format=",d"),
                    title="k, the length of the list"),
            y=alt.Y("hit_rate:Q", axis=alt.Axis(format="%", tickCount=5), title="hit rate at k"),
            color=model_colour(rows),
            tooltip=["model:N", "k:Q", alt.Tooltip("hit_rate:Q", format=".2%")],
        )
    )  # fmt: skip


def calibration(rows: Rows, scale: tuple[float, float]) -> Spec:
    """Mean true over mean predicted rating by band of prediction, with the ideal diagonal."""
    ends = alt.Scale(domain=list(scale), nice=False)
    ideal = alt.Chart(inline([{"p": end, "t": end} for end in scale]))
    line = ideal.mark_line(stroke=INK, strokeDash=[3, 3], strokeWidth=1).encode(
        x=alt.X("p:Q", scale=ends, title="mean predicted rating"),
        y=alt.Y("t:Q", scale=ends, title="mean true rating"),
    )
    points = alt.Chart(inline(rows)).mark_point(filled=True, opacity=0.75).encode(
        x="predicted:Q", y="true:Q", color=model_colour(rows),
        size=alt.Size("ratings:Q", legend=None, scale=alt.Scale(range=[20, 260])),
        tooltip=["model:N", alt.Tooltip("predicted:Q", format=".2f"),
                 alt.Tooltip("true:Q", format=".2f"), alt.Tooltip("ratings:Q", format=",")],
    )  # fmt: skip
    return finished(line + points, height=300)


def error_by_rating(rows: Rows) -> Spec:
    """Bars of RMSE by true rating (rating, rmse, ratings, model)."""
    present = [name for name in MODELS if any(row["model"] == name for row in rows)]
    chart = alt.Chart(inline(rows)).mark_bar()
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


def training(rows: Rows, best: float, title: str) -> Spec:
    """Lines over epochs (epoch, value, series), the epoch that was kept marked."""
    names = sorted({row["series"] for row in rows})
    scale = alt.Scale(domain=names, range=MODEL_COLOURS[: len(names)])
    lines = alt.Chart(inline(rows)).mark_line(point=True).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False)),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
        color=alt.Color("series:N", scale=scale, legend=None if len(names) == 1 else alt.Legend()),
        tooltip=["series:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f")],
    )  # fmt: skip
    kept = alt.Chart(inline([{"epoch": best}])).mark_rule(stroke=INK, strokeDash=[3, 3])
    return finished(lines + kept.encode(x="epoch:Q"), height=200)


def timeline(rows: Rows, title: str) -> Spec:
    """A metric of each run in time, with its interval.

    Args:
      rows: run, value, low, high, verdict, pushed version; None for an end that there is not.
      title: of the metric.
    """
    colours = ["var(--good)", "var(--bad)"]
    axis = alt.Axis(tickCount=5, tickMinStep=0.001, format=".3~f")
    base = alt.Chart(inline(rows)).encode(
        x=alt.X(
            "run:O", title=None, axis=alt.Axis(labelAngle=-35, labelLimit=130, labelOverlap=True)
        ),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=axis),
    )
    whiskers = base.mark_rule(strokeWidth=2, stroke="var(--baseline)", opacity=0.5).encode(
        y="low:Q", y2="high:Q"
    ).transform_filter("isValid(datum.low)")  # fmt: skip
    points = base.mark_point(filled=True, size=90, opacity=1).encode(
        color=alt.Color(
            "verdict:N", scale=alt.Scale(domain=["blessed", "not blessed"], range=colours)
        ),
        tooltip=["run:N", *(alt.Tooltip(f"{end}:Q", format=".4f") for end in ENDS), "verdict:N",
                 "pushed version:N"],
    )  # fmt: skip
    line = base.mark_line(stroke="var(--baseline)", strokeWidth=1.5)
    return finished(line + whiskers + points, height=220)
