"""The data page's charts, beside those that it shares with the report."""

import altair as alt

from components.pages.charts import FAINT, INK, MODEL_COLOURS, SHORT, Rows, Spec, finished
from schemas.words import Item

SPLITS = ("train", "valid", "eval")
MONTHS_SHOWN = 60  # of a timeline: with more, years are shown
COLOUR = MODEL_COLOURS[0]
DECADES = alt.Axis(values=[10**n for n in range(9)], labelExpr=SHORT)  # of log scales
ROW = 22  # pixels of a row of horizontal bars


def _data(rows: Rows) -> alt.InlineData:
    return alt.InlineData(values=rows)


def _split_colour(rows: Rows) -> alt.Color:
    present = [name for name in SPLITS if any(row["split"] == name for row in rows)]
    colours = [MODEL_COLOURS[SPLITS.index(name)] for name in present]
    return alt.Color("split:N", scale=alt.Scale(domain=present, range=colours), title=None)


def timeline(rows: Rows) -> Spec:
    """Stacked bars of ratings over time (time, split, number); times as text, in order."""
    times = sorted({row["time"] for row in rows})
    step = max(1, -(-len(times) // 12))
    chart = alt.Chart(_data(rows)).mark_bar()
    return finished(
        chart.encode(
            x=alt.X("time:O", sort=times, title=None,
                    axis=alt.Axis(values=times[::step], labelAngle=-45)),
            y=alt.Y("number:Q", title="ratings", axis=alt.Axis(labelExpr=SHORT, tickCount=4)),
            color=_split_colour(rows),
            tooltip=["time:O", "split:N", alt.Tooltip("number:Q", format=",")],
        )
    )  # fmt: skip


def yearly_mean(rows: Rows, scale: tuple[float, float]) -> Spec:
    """A line of the mean rating over years (year, mean, number)."""
    chart = alt.Chart(_data(rows)).mark_line(point=alt.OverlayMarkDef(size=40), stroke=COLOUR)
    return finished(
        chart.encode(
            x=alt.X("year:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1),
                    scale=alt.Scale(nice=False)),
            y=alt.Y("mean:Q", title="mean rating", scale=alt.Scale(zero=False),
                    axis=alt.Axis(tickCount=5)),
            color=alt.value(COLOUR),
            tooltip=["year:Q", alt.Tooltip("mean:Q", format=".2f"),
                     alt.Tooltip("number:Q", format=",")],
        )
    )  # fmt: skip


def shares(rows: Rows, series: str, names: list[str]) -> Spec:
    """Grouped bars of the share of each rating (rating, share, and the series)."""
    chart = alt.Chart(_data(rows)).mark_bar()
    scale = alt.Scale(domain=names, range=MODEL_COLOURS[: len(names)])
    return finished(
        chart.encode(
            x=alt.X("rating:O", title="rating", axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset(f"{series}:N", sort=names),
            y=alt.Y("share:Q", title="share of ratings", axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color(f"{series}:N", scale=scale, title=None),
            tooltip=[f"{series}:N", "rating:O", alt.Tooltip("share:Q", format=".1%")],
        )
    )  # fmt: skip


def stacked(rows: Rows) -> Spec:
    """Each group's ratings as one bar from 0 to 100% (value, rating, share), low ratings first."""
    order = list(dict.fromkeys(row["value"] for row in rows))
    levels = sorted({row["rating"] for row in rows})
    chart = alt.Chart(_data(rows)).mark_bar(color=COLOUR, stroke=FAINT, strokeWidth=0.5)
    return finished(
        chart.encode(
            x=alt.X("share:Q", title="share of the group's ratings",
                    scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
            y=alt.Y("value:N", sort=order, title=None, axis=alt.Axis(ticks=False)),
            fillOpacity=alt.FillOpacity("rating:O", scale=alt.Scale(domain=levels, range=[0.1, 1]),
                                        legend=alt.Legend(columns=5, symbolFillColor=COLOUR)),
            order=alt.Order("rating:Q"),
            tooltip=["value:N", "rating:O", alt.Tooltip("share:Q", format=".1%")],
        ),
        height=70 + ROW * len(order),
    )  # fmt: skip


def ranked(rows: Rows, label: str, number: str, title: str) -> Spec:
    """Horizontal bars of a number, in the rows' order."""
    order = [row[label] for row in rows]
    chart = alt.Chart(_data(rows)).mark_bar(color=COLOUR)
    return finished(
        chart.encode(
            x=alt.X(f"{number}:Q", title=title, axis=alt.Axis(labelExpr=SHORT, tickCount=4)),
            y=alt.Y(f"{label}:N", sort=order, title=None, axis=alt.Axis(ticks=False)),
            tooltip=[f"{label}:N", alt.Tooltip(f"{number}:Q", format=",.4~f")],
        ),
        height=64 + ROW * len(rows),
    )


def dots(rows: Rows, label: str, names: dict[str, str]) -> Spec:
    """Points of mean ratings, in the rows' order.

    Args:
      rows: what to show.
      label: the column that names a row.
      names: the columns with a mean, and how the legend calls them.
    """
    order = [row[label] for row in rows]
    long = [
        {label: row[label], "which": name, "mean": row[column], "ratings": row["ratings"]}
        for row in rows
        for column, name in names.items()
    ]
    domain = list(names.values())
    chart = alt.Chart(_data(long)).mark_point(filled=True, size=70, opacity=0.9)
    colour = alt.Scale(domain=domain, range=MODEL_COLOURS[: len(domain)])
    shape = alt.Scale(domain=domain, range=["circle", "triangle-up"][: len(domain)])
    legend = alt.Legend() if len(domain) > 1 else None
    return finished(
        chart.encode(
            x=alt.X("mean:Q", title="mean rating", scale=alt.Scale(zero=False),
                    axis=alt.Axis(tickCount=5)),
            y=alt.Y(f"{label}:N", sort=order, title=None, axis=alt.Axis(grid=True, ticks=False)),
            color=alt.Color("which:N", scale=colour, legend=legend),
            shape=alt.Shape("which:N", scale=shape, legend=legend),
            tooltip=[f"{label}:N", "which:N", alt.Tooltip("mean:Q", format=".3f"),
                     alt.Tooltip("ratings:Q", format=",")],
        ),
        height=(80 if legend else 64) + ROW * len(rows),
    )  # fmt: skip


def lorenz(rows: Rows, item: Item) -> Spec:
    """Lorenz curves (of, share, ratings) with the line on which all would have the same."""
    names = list(dict.fromkeys(row["of"] for row in rows))
    scale = alt.Scale(domain=names, range=MODEL_COLOURS[: len(names)])
    lines = alt.Chart(_data(rows)).mark_line(strokeWidth=2).encode(
        x=alt.X("share:Q", title=f"share of users or {item.several}, the least rated first",
                axis=alt.Axis(format="%", tickCount=5)),
        y=alt.Y("ratings:Q", title="their share of ratings",
                axis=alt.Axis(format="%", tickCount=5)),
        color=alt.Color("of:N", scale=scale, title=None),
    )  # fmt: skip
    equal = alt.Chart(_data([{"share": end, "ratings": end} for end in (0, 1)]))
    return finished(
        equal.mark_line(stroke=INK, strokeDash=[3, 3], strokeWidth=1).encode(
            x="share:Q", y="ratings:Q"
        )
        + lines,
        height=300,
    )


def rank_curve(rows: Rows, item: Item) -> Spec:
    """Ratings of movies by their rank (rank, ratings), both on log scales."""
    log = alt.Scale(type="log")
    chart = alt.Chart(_data(rows)).mark_line(stroke=COLOUR, strokeWidth=2)
    return finished(
        chart.encode(
            x=alt.X("rank:Q", scale=log, title=f"rank of the {item.one}",
                    axis=DECADES),
            y=alt.Y("ratings:Q", scale=log, title="its ratings",
                    axis=DECADES),
            tooltip=[alt.Tooltip("rank:Q", format=","), alt.Tooltip("ratings:Q", format=",")],
        ),
        height=300,
    )  # fmt: skip


def scatter(rows: Rows, scale: tuple[float, float]) -> Spec:
    """Users by activity, on a log scale, and mean rating (n, mean)."""
    chart = alt.Chart(_data(rows)).mark_circle(color=COLOUR, size=14, opacity=0.45)
    return finished(
        chart.encode(
            x=alt.X("n:Q", scale=alt.Scale(type="log"), title="ratings of the user",
                    axis=DECADES),
            y=alt.Y("mean:Q", scale=alt.Scale(domain=list(scale), nice=False),
                    title="mean rating", axis=alt.Axis(tickCount=5)),
            tooltip=[alt.Tooltip("n:Q", format=","), alt.Tooltip("mean:Q", format=".2f")],
        ),
        height=320,
    )  # fmt: skip
