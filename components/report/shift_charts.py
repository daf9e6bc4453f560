"""How the features of eval differ from those of train: one chart of all, and one of each."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from components.pages.charts import MODEL_COLOURS, Rows, Spec, described, finished, inline

Content = Mapping[str, Any]
MOST = 6  # features with a chart of their own, those that differ most
SPLITS = ("train", "eval")
COLOURS = [MODEL_COLOURS[2], MODEL_COLOURS[0]]


def drawn_shifts(shifts: Sequence[Content]) -> dict[str, Spec]:
    """The charts by id, those of single features as `shift-N`; `shifts` as `shifts` returns it."""
    if not shifts:
        return {}
    far = "; ".join(f"{one['feature']} {one['distance']:.3f}" for one in shifts)
    rows: Rows = [{"feature": one["feature"], "distance": one["distance"]} for one in shifts]
    specs = {"shifts": described(_distances(rows), f"How far eval is from train: {far}.")}
    for number, one in enumerate(shifts[:MOST]):
        told = "; ".join(f"{r['value']}: {r['train']:.1%}, {r['eval']:.1%}" for r in one["rows"])
        words = f"{one['feature']} in train and in eval: {told}."
        caption = {"caption": f"{one['feature']}: {one['distance']:.3f}"}
        specs[f"shift-{number}"] = {**described(_shares(one), words), "usermeta": caption}
    return specs


def _distances(rows: Rows) -> Spec:
    chart = alt.Chart(inline(rows)).mark_bar(color=MODEL_COLOURS[0]).encode(
        y=alt.Y("feature:N", sort=[row["feature"] for row in rows], title=None),
        x=alt.X("distance:Q", title="distance of eval from train, 0 to 1",
                axis=alt.Axis(tickCount=4)),
        tooltip=["feature:N", alt.Tooltip("distance:Q", format=".3f")],
    )  # fmt: skip
    return finished(chart, height=50 + 24 * len(rows))


def _shares(one: Content) -> Spec:
    rows = [
        {"value": row["value"], "split": split, "share": row[split]}
        for row in one["rows"]
        for split in SPLITS
    ]
    order = [row["value"] for row in one["rows"]]
    slanted = any(len(name) > 4 for name in order)
    chart = alt.Chart(inline(rows)).mark_bar().encode(
        x=alt.X("value:N", sort=order, title=None, axis=alt.Axis(labelAngle=-45 * slanted)),
        xOffset=alt.XOffset("split:N", sort=list(SPLITS)),
        y=alt.Y("share:Q", title="share", axis=alt.Axis(format="%", tickCount=4)),
        color=alt.Color("split:N", scale=alt.Scale(domain=list(SPLITS), range=COLOURS), title=None),
        tooltip=["value:N", "split:N", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    return finished(chart, height=200)
