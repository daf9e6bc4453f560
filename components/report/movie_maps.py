"""Maps of the movies' vectors: one coloured by genre, one by decade."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from components.pages.charts import MODEL_COLOURS, Rows, Spec, described, finished
from schemas.words import MOVIE, Item

GROUPS = 6  # genres or decades that have a colour; the others are grey
GENRE_COLOURS = [f"var(--kind-{number})" for number in range(1, GROUPS + 1)]
MIXED = "color-mix(in oklch increasing hue, var(--kind-2), var(--kind-1)"
DECADE_COLOURS = [f"{MIXED} {100 * place // (GROUPS - 1)}%)" for place in range(GROUPS)]
GREY = MODEL_COLOURS[-1]


def drawn_maps(learned: Mapping[str, Any], item: Item = MOVIE) -> dict[str, Spec]:
    """The map by first genre and, where any year is known, by decade; see `learned.learned`.

    `item` is what the source calls the movies.
    """
    movies: Rows = learned["movies"]
    first = [movie["genres"][0] if movie["genres"] else "" for movie in movies]
    counts = Counter(genre for genre in first if genre)
    genres = [genre for genre, _ in counts.most_common(GROUPS)]
    several = item.several
    specs = {"map-genre": _map(movies, first, genres, GENRE_COLOURS, "other genres", several)}
    decades = [f"{movie['year'] // 10 * 10}s" if movie["year"] else "" for movie in movies]
    newest = sorted({decade for decade in decades if decade})[-GROUPS:]
    if newest:
        colours = DECADE_COLOURS[-len(newest) :]
        specs["map-decade"] = _map(movies, decades, newest, colours, "older or unknown", several)
    return specs


def _map(
    movies: Rows,
    own: Sequence[str],
    groups: Sequence[str],
    colours: Sequence[str],
    rest: str,
    several: str,
) -> Spec:
    names = [group if group in groups else rest for group in own]
    rows = [
        movie | {"genres": ", ".join(movie["genres"]), "year": movie["year"] or "", "group": name}
        for movie, name in zip(movies, names, strict=True)
    ]
    rows.sort(key=lambda row: row["group"] != rest)  # grey points lie under the coloured ones
    counts = Counter(names)
    shown = [name for name in (*groups, rest) if counts[name]]
    words = "; ".join(f"{name}: {counts[name]:,}" for name in shown)
    spec = _points(rows, shown, [*colours[: len(groups)], GREY])
    return described(spec, f"Map of {len(rows):,} {several} by their vectors; {words}")


def _points(rows: Rows, groups: Sequence[str], colours: Sequence[str]) -> Spec:
    """A dot for each movie (x, y, group, title, genres, year); the axes have no unit."""
    bare = alt.Axis(labels=False, ticks=False, tickCount=5)
    scale = alt.Scale(zero=False, nice=False, padding=12)
    chart = alt.Chart(alt.InlineData(values=rows)).mark_point(
        filled=True, size=22, opacity=0.75, aria=False
    )
    return finished(
        chart.encode(
            x=alt.X("x:Q", title=None, axis=bare, scale=scale),
            y=alt.Y("y:Q", title=None, axis=bare, scale=scale),
            color=alt.Color(
                "group:N",
                scale=alt.Scale(domain=list(groups), range=list(colours[: len(groups)])),
                legend=alt.Legend(columns=3, symbolOpacity=1),
            ),
            tooltip=["title:N", "genres:N", "year:N"],
        ),
        height=380,
    )
