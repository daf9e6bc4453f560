"""All gates on one axis: how far ahead each is of what it is compared with, beside its bound."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from components.evaluation.metric_name import MetricName
from components.evaluation.slices import OVERALL
from components.evaluation.verdicts import Kind, Outcome
from components.pages.charts import ENDS, INK, SHAPES, Rows, Spec, described, finished, inline
from components.report.wording import rival

Content = Mapping[str, Any]
MOST = 40  # gates of one chart
LINEAR = 0.05  # lifts up to which the axis is even, and beyond which it is logarithmic
ROOM = 1.1  # beyond the outermost places, so that marks there are whole
TICKS = (-1, -0.5, -0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
COLOURS = {"passed": "var(--good)", "failed": "var(--bad)", "not judged": "var(--baseline)"}


def drawn_gates(blessing: Content) -> dict[str, Spec]:
    """The chart, by its id; none where no gate has something to be compared with."""
    outcomes = [Outcome.from_json(row) for row in blessing["gates"]]
    rows = lifts(outcomes, blessing["baselines"])[:MOST]
    if not rows:
        return {}
    told = "; ".join(
        f"{row['label']} {row['value']:+.1%} where {row['bound']:+.1%} is the bound" for row in rows
    )
    return {"gate-lifts": described(_chart(rows), f"How far ahead each gate is: {told}.")}


def lifts(outcomes: Sequence[Outcome], baselines: Content) -> Rows:
    """Each gate's value, interval and bound in parts of its rival's value, above 0 being better.

    Its rival is the blessed model in gates on that, and the built-in baseline in all others. Gates
    on lists and export have none, and are left out; so is what is no number.
    """
    rows = [row for outcome in outcomes for row in _lift(outcome, baselines)]
    return sorted(rows, key=lambda row: row["slice"] != OVERALL)


def _lift(outcome: Outcome, baselines: Content) -> Rows:
    gate = outcome.gate
    if gate.kind not in (Kind.BASELINE, Kind.BLESSED, Kind.ABSOLUTE):
        return []
    metric = MetricName.parse(str(gate.metric))
    if gate.kind is Kind.BLESSED:
        other, name = baselines.get("blessed", {}), "blessed model"
    else:
        name = rival(metric).subject.value
        other = baselines[name]
    against = other.get(gate.slice, {}).get(str(metric))
    ends = [outcome.value, *(outcome.interval or (outcome.value, outcome.value)), gate.bound]
    if not against or not all(map(math.isfinite, ends)):
        return []
    if gate.kind is Kind.ABSOLUTE:
        ends = [end - against for end in ends]
    # A gain is turned already, so that above 0 is the model's favour.
    turned = metric.lower_is_better and gate.kind is not Kind.BASELINE
    value, low, high, bound = ((-end if turned else end) / against for end in ends)
    where = "" if gate.slice == OVERALL else f", {gate.slice}"
    start = "bound on " if gate.kind is Kind.ABSOLUTE else ""
    return [{"label": f"{start}{metric} v. {name}{where}", "slice": gate.slice, "against": name,
             "value": value, "low": min(low, high), "high": max(low, high), "bound": bound,
             "verdict": outcome.verdict.value, "judged": outcome.judged}]  # fmt: skip


def _chart(rows: Rows) -> Spec:
    places = [row[end] for row in rows for end in (*ENDS, "bound")]
    least, most = min(0.0, *places), max(0.0, *places)
    ticks = [tick for tick in TICKS if least <= tick <= most]
    ends = [least * ROOM, most * ROOM]
    scale = alt.Scale(type="symlog", constant=LINEAR, nice=False, domain=ends)
    axis = alt.Axis(format="+.0%", values=ticks, labelOverlap=True)
    base = alt.Chart(inline(rows)).encode(
        y=alt.Y("label:N", sort=[row["label"] for row in rows], title=None,
                axis=alt.Axis(grid=True, ticks=False)),
        color=alt.Color("verdict:N", legend=None,
                        scale=alt.Scale(domain=[*COLOURS], range=[*COLOURS.values()])),
        tooltip=["label:N", "against:N", "verdict:N",
                 *(alt.Tooltip(f"{end}:Q", format="+.1%") for end in (*ENDS, "bound"))],
    )  # fmt: skip
    zero = alt.Chart(inline([{"zero": 0}])).mark_rule(stroke=INK, strokeDash=[3, 3])
    whiskers = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title="ahead by", scale=scale, axis=axis),
        x2="high:Q",
    )
    bounds = base.mark_tick(thickness=3, size=16, color=INK).encode(
        x="bound:Q", color=alt.value(INK)
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="value:Q",
        shape=alt.Shape("judged:N", scale=alt.Scale(domain=[True, False], range=SHAPES),
                        legend=None),
    )  # fmt: skip
    layers = alt.layer(zero.encode(x="zero:Q"), whiskers, bounds, points)
    return finished(layers, height=60 + 24 * len(rows))
