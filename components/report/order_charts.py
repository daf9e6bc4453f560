"""What the order of lists trades: hits against predicted ratings, as a curve and a sentence."""

from collections.abc import Mapping
from typing import Any

import altair as alt

from components.pages.charts import INK, MODEL_COLOURS, Spec, described, finished, inline
from components.report.wording import share

Content = Mapping[str, Any]
EVERY = 5  # of the orders, this many apart have their mix written beside them


def drawn_orders(orders: Content) -> dict[str, Spec]:
    """The curve, by its id; none where nothing was measured. `orders` is what orders.json holds."""
    if not orders:
        return {}
    rows = [
        {**order, "chosen": order["mix"] == orders["mix"], "said": _said(place, order, orders)}
        for place, order in enumerate(orders["orders"])
    ]
    base = alt.Chart(inline(rows)).encode(
        x=alt.X("rating:Q", title="mean predicted rating of the list",
                scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
        y=alt.Y("hit_rate:Q", title=f"hit rate at {orders['k']}",
                axis=alt.Axis(format="%", tickCount=5)),
        order="mix:Q",
        tooltip=["mix:Q", alt.Tooltip("hit_rate:Q", format=".2%"),
                 alt.Tooltip("rating:Q", format=".2f"), alt.Tooltip("kept:Q", format=".0%")],
    )  # fmt: skip
    line = base.mark_line(stroke="var(--baseline)", strokeWidth=1.5)
    whiskers = base.mark_rule(stroke="var(--baseline)", strokeWidth=1).encode(
        y="low:Q", y2="high:Q"
    )
    colour = alt.Color(
        "chosen:N", legend=None,
        scale=alt.Scale(domain=[False, True], range=["var(--baseline)", MODEL_COLOURS[0]]),
    )  # fmt: skip
    points = base.mark_point(filled=True, size=80, opacity=1).encode(color=colour)
    names = base.mark_text(align="left", dx=7, dy=-7, fontSize=12, color=INK).encode(text="said:N")
    spec = finished(line + whiskers + points + names)
    return {"orders": described(spec, order_words(orders))}


def _said(place: int, order: Content, orders: Content) -> str:
    told = order["mix"] == orders["mix"] or place % EVERY == 0
    return f"{order['mix']:g}" if told else ""


def order_words(orders: Content) -> str:
    """What was chosen and what it costs, in a sentence."""
    first = orders["orders"][0]
    own = next(order for order in orders["orders"] if order["mix"] == orders["mix"])
    if not orders["mix"]:
        return (
            f"Every mix of predicted ratings may lose more than {share(orders['loss'])} of the "
            "hits, so people are shown what they are most likely to choose next."
        )
    return (
        f"People are shown lists with a mix of {orders['mix']:g}: the most of the predicted rating "
        f"that surely keeps {share(1 - orders['loss'])} of the hits. It kept {share(own['kept'])} "
        f"(hit rate {own['hit_rate']:.2%} after {first['hit_rate']:.2%}), and the mean predicted "
        f"rating of a list rises from {first['rating']:.2f} to {own['rating']:.2f}."
    )
