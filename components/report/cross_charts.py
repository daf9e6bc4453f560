"""Heat maps of what pairs of features say in the cross layers."""

import itertools
from collections.abc import Mapping
from typing import Any

import altair as alt

from components.pages.charts import FONT, INK, MODEL_COLOURS, Rows, Spec, described, finished

# By tower or head, the chart's caption, and of what the strength is a share.
CAPTIONS = {
    "candidate": ("A movie's vector", "In percent of the vector's length."),
    "query": ("A user's vector", "In percent of the vector's length."),
    "rating": ("A predicted rating", "In percent of the ratings' standard deviation."),
}
STRONGEST = 0.5  # opacity of the strongest pair: a number on it can still be read


def drawn_crosses(crosses: Mapping[str, Any]) -> dict[str, Spec]:
    """A heat map for each tower and head in crosses.json, by id; all of one scale of colour."""
    rows = {name: _pairs(crossed) for name, crossed in crosses.items()}
    most = max((row["strength"] for own in rows.values() for row in own), default=0.0)
    specs = {}
    for name, own in rows.items():
        caption, note = CAPTIONS[name]
        words = "; ".join(
            f"{row['first']} with {row['second']}: {row['percent']}"
            for row in sorted(own, key=lambda row: -row["strength"])
        )
        spec = described(
            _heat(own, crosses[name]["parts"], most), f"{caption} by pairs. {note} {words}"
        )
        specs[f"crosses-{name}"] = {**spec, "usermeta": {"caption": caption, "note": note}}
    return specs


def _pairs(crossed: Mapping[str, Any]) -> Rows:
    """Each pair once, the later part first, so that they fill the triangle below the diagonal."""
    places = itertools.combinations_with_replacement(range(len(crossed["parts"])), 2)
    return [
        {
            "first": crossed["parts"][later],
            "second": crossed["parts"][earlier],
            "strength": crossed["strength"][later][earlier],
            "percent": percent(crossed["strength"][later][earlier]),
        }
        for earlier, later in places
    ]


def percent(share: float) -> str:
    """A share in percent, as short as it must be to fit a square on a phone."""
    return f"{100 * share:.{1 if share < 0.0995 else 0}f}"


def _heat(rows: Rows, parts: list[str], most: float) -> Spec:
    """Squares (first, second, strength, percent), coloured by strength, with their numbers."""
    axis = alt.Axis(grid=False, ticks=False, domain=False)
    slanted = alt.Axis(grid=False, ticks=False, domain=False, labelAngle=-45)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("second:N", sort=parts, title=None, axis=slanted, scale=alt.Scale(padding=0.05)),
        y=alt.Y("first:N", sort=parts, title=None, axis=axis, scale=alt.Scale(padding=0.05)),
        tooltip=["first:N", "second:N", "percent:N"],
    )
    shade = alt.Scale(domain=[0, most or 1.0], range=[0.03, STRONGEST])
    squares = base.mark_rect(fill=MODEL_COLOURS[0], aria=False).encode(
        opacity=alt.Opacity("strength:Q", scale=shade, legend=None)
    )
    numbers = base.mark_text(color=INK, font=FONT, fontSize=11, aria=False).encode(text="percent:N")
    return finished(alt.layer(squares, numbers), height=90 + 30 * len(parts))
