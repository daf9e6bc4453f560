"""Draws what benchmarks.accuracy measured: each figure, Greenlight among its peers.

python -m benchmarks.accuracy_chart runs/accuracy/*/accuracy.json --out accuracy.svg
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

SHOWN = {"hit_rate@10": "hit rate@10", "ndcg@10": "NDCG@10", "rmse": "RMSE (less is better)"}
COLOURS = alt.Scale(domain=[True, False], range=["#0b6e4f", "#9aa5ad"])


def main() -> None:
    """Draws the files that the command line names, a row of panels each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=Path("accuracy.svg"))
    options = parser.parse_args()
    results = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in options.files
    }
    draw(results, options.out)


def draw(results: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    """Writes one SVG.

    Args:
      results: by title, what benchmarks.accuracy wrote: `results` by system and `noise`.
      out: the file.
    """
    rows = [_panels(title, content) for title, content in results.items()]
    chart = alt.vconcat(*rows, background="white").configure_view(stroke=None)
    out.write_text(vl_convert.vegalite_to_svg(chart.to_dict()), encoding="utf-8")


def _panels(title: str, content: Mapping[str, Any]) -> Any:
    panels = [_panel(content, metric, words) for metric, words in SHOWN.items()]
    return alt.hconcat(*panels, title=title, spacing=25)


def points(content: Mapping[str, Any], metric: str) -> Sequence[dict[str, Any]]:
    """One row for each system that has the metric, best first; ours with its spread over seeds."""
    values = {
        name: figures[metric] for name, figures in content["results"].items() if metric in figures
    }
    rows = []
    for name, value in values.items():
        ours = name == next(iter(content["results"]))
        spread = content["noise"][metric] if ours else 0.0
        rows.append(
            {"system": name, "value": value, "ours": ours,
             "low": value - spread, "high": value + spread}
        )  # fmt: skip
    return sorted(rows, key=lambda row: row["value"], reverse=metric != "rmse")


def _panel(content: Mapping[str, Any], metric: str, words: str) -> Any:
    rows = points(content, metric)
    order = [row["system"] for row in rows]
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(
        y=alt.Y("system:N", sort=order, title=None, axis=alt.Axis(grid=True, ticks=False)),
        color=alt.Color("ours:N", scale=COLOURS, legend=None),
    )
    axis = alt.Axis(format=".3~f", tickCount=4)
    position = alt.X("value:Q", title=words, scale=alt.Scale(zero=False), axis=axis)
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(x=position)
    whiskers = base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q")
    return (whiskers + dots).properties(width=190, height=18 * len(rows))


if __name__ == "__main__":
    main()
