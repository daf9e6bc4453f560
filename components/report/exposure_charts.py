"""Which movies lists show, by how popular they are, and what changed for whom."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from components.evaluation.slices import OVERALL
from components.pages.charts import Rows, Spec, described, finished, inline
from components.report.charts import model_colour
from components.report.wording import share, were

Content = Mapping[str, Any]
NEVER, MOST_RATED = 0, 1  # places among the shares
NAMED = 6  # most slices that a sentence names
SERIES = {"candidate": "candidate", "blessed": "blessed model", "history": "baseline"}
NAMES = {"candidate": "candidate's lists", "blessed": "blessed model's lists",
         "history": "what they had rated"}  # fmt: skip


def drawn_exposure(exposure: Mapping[str, Sequence[float]]) -> dict[str, Spec]:
    """The chart, by its id; none where no list was made."""
    if "candidate" not in exposure:
        return {}
    rows: Rows = [
        {"tenth": _tenth(place), "share": part, "model": SERIES[name], "name": NAMES[name]}
        for name in SERIES if name in exposure
        for place, part in enumerate(exposure[name])
    ]  # fmt: skip
    order = [*map(_tenth, range(MOST_RATED, len(exposure["candidate"]))), _tenth(NEVER)]
    chart = alt.Chart(inline(rows)).mark_bar().encode(
        x=alt.X("tenth:O", sort=order, title="tenth, 1 the most rated; none: never",
                axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("model:N", sort=[*SERIES.values()]),
        y=alt.Y("share:Q", title="share of places", axis=alt.Axis(format="%", tickCount=5)),
        color=model_colour(rows).legend(None),
        tooltip=["name:N", "tenth:O", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    return {"exposure": described(finished(chart, height=200), exposure_words(exposure))}


def _tenth(place: int) -> str:
    return "none" if place == NEVER else str(place)


def exposure_words(exposure: Mapping[str, Sequence[float]]) -> str:
    """How much of the lists is what everybody rates, beside what the people themselves rate."""
    listed, rated = (exposure[name] for name in ("candidate", "history"))
    others = [share(sum(own[MOST_RATED + 1 :])) for own in (listed, rated)]
    return (
        f"The most rated tenth of the movies has {share(listed[MOST_RATED])} of the places in the "
        f"lists, and {share(rated[MOST_RATED])} of what the same people had rated; the other nine "
        f"have {others[0]} and {others[1]}, and movies that train has no rating of "
        f"{share(listed[NEVER])} and {share(rated[NEVER])}."
    )


def change_words(changes: Sequence[Content], slices: Mapping[str, Sequence[Content]]) -> list[str]:
    """What changed for whom since the blessed model, in sentences; none where there was none.

    `slices` are the differences from it by metric, as `slice_rows` makes them.
    """
    if not changes:
        return []
    everyone = changes[0]
    told = [
        f"Of the lists of {everyone['people']:,} people {share(everyone['new'])} is new; of the "
        f"movies that they rated next, {were(everyone['found'])} found that the blessed model did "
        f"not find, and {were(everyone['lost'])} lost."
    ]
    for metric, rows in slices.items():
        named = {
            verdict: [row["label"] for row in rows
                      if row["verdict"] == verdict and row["judged"] and row["label"] != OVERALL]
            for verdict in ("better", "worse")
        }  # fmt: skip
        parts = [f"{verdict} in {_listed(own)}" for verdict, own in named.items() if own]
        told.append(f"By {metric} it is {', and '.join(parts)}, not by chance." if parts else
                    f"By {metric} there is no slice in which the difference is sure.")  # fmt: skip
    return told


def _listed(slices: Sequence[str]) -> str:
    more = len(slices) - NAMED
    return ", ".join(slices[:NAMED]) + (f" and {more} more" if more > 0 else "")


def change_table(changes: Sequence[Content]) -> list[dict[str, Any]]:
    """The changes by length of history, as cells."""
    return [
        {"group": row["group"],
         "cells": [f"{row['people']:,}", share(row["new"]), f"{row['found']:,}",
                   f"{row['lost']:,}"]}
        for row in changes
    ]  # fmt: skip
