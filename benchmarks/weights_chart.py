"""Draws what one task costs the other: hit rate and RMSE over the rating loss's share."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

Results = Mapping[str, Mapping[str, Mapping[str, float]]]
PANELS = {"hit_rate@10": "hit rate@10", "rmse": "RMSE (less is better)"}
COLOURS = ["#0b6e4f", "#b45309"]


def draw(results: Results, out: Path) -> None:
    """Writes one SVG.

    Args:
      results: by model, by row of weights ("retrieval 1, rating 0.25"), its figures.
      out: the file.
    """
    panels = [_panel(results, metric, words) for metric, words in PANELS.items()]
    chart = alt.hconcat(*panels, background="white", spacing=40).configure_view(stroke=None)
    out.write_text(vl_convert.vegalite_to_svg(chart.to_dict()), encoding="utf-8")


def points(results: Results, metric: str) -> list[dict[str, Any]]:
    """A row for each model and weights under which the metric's own task was trained at all."""
    rows = []
    for model, by_weights in results.items():
        for weights, figures in by_weights.items():
            retrieval, rated = map(float, re.findall(r"[\d.]+", weights))
            if (rated if metric == "rmse" else retrieval) > 0:
                share = rated / (retrieval + rated)
                rows.append({"model": model, "share": share, "value": figures[metric]})
    return rows


def _panel(results: Results, metric: str, words: str) -> Any:
    scale = alt.Scale(domain=list(results), range=COLOURS[: len(results)])
    legend = alt.Legend(orient="top", title=None, labelLimit=220)
    chart = alt.Chart(alt.InlineData(values=points(results, metric)))
    return chart.mark_line(point=alt.OverlayMarkDef(size=60)).encode(
        x=alt.X("share:Q", title="share of the rating loss in both weights",
                scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
        y=alt.Y("value:Q", title=words, scale=alt.Scale(zero=False, padding=8),
                axis=alt.Axis(tickCount=5)),
        color=alt.Color("model:N", scale=scale, legend=legend),
    ).properties(width=320, height=240)  # fmt: skip
