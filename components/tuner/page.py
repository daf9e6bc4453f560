"""The page of a search: its trials, what mattered in them, and lists held against ratings."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.pages import charts
from components.pages.html import html
from components.pages.numbers import number
from components.tuner import charts as tuning_charts
from components.tuner.effects import effects, relative

Content = Mapping[str, Any]
PACKAGE = "components.tuner"
Row = dict[str, Any]
ENDED = {
    "minutes": "the minutes were used up",
    "trials": "the trials were used up",
    "space": "everything had been tried",
}
COLUMNS = ("score", "ndcg", "hit_rate@10", "rmse")


def render_trials(found: Content) -> str:
    """Renders the page.

    Args:
      found: what the Tuner wrote; see `components.tuner.search.results`.
    """
    done = [row for row in found["trials"] if row["status"] == "COMPLETED"]
    rated = all("rmse" in row for row in done)
    front = pareto(done) if rated else []
    best = next(row for row in done if row["trial"] == found["best"])
    groups = {row["trial"]: _group(row, found, front) for row in done}
    mattered = effects(found["space"], done)
    context = {
        "found": found,
        "rated": rated,
        "best": _figures(best) | {"values": best["values"]},
        "first": _first(found, done),
        "ended": ENDED[found["ended"]],
        "failed": [row for row in found["trials"] if row["status"] == "FAILED"],
        "rows": [_cells(row, groups) for row in sorted(done, key=lambda row: -row["score"])],
        "settings": list(found["space"]),
        "mattered": mattered,
        "configurations": len(relative(done)),
        "front": len(front),
    }
    return html("tuning.html.j2", context, _drawn(found, done, groups, mattered), PACKAGE)


def pareto(done: Sequence[Content]) -> list[int]:
    """The trials that no other beats in NDCG and RMSE both, from the best NDCG on."""
    front: list[int] = []
    least = float("inf")
    for row in sorted(done, key=lambda row: (-row["ndcg"], row["rmse"])):
        if row["rmse"] < least:
            front.append(row["trial"])
            least = row["rmse"]
    return front


def _group(row: Content, found: Content, front: Sequence[int]) -> str:
    if row["trial"] == found["best"]:
        return "best score"
    if is_own(row, found):
        return "your settings"
    return "on the front" if row["trial"] in front else "other trials"


def is_own(row: Content, found: Content) -> bool:
    """Whether a trial had the configuration's own settings."""
    return bool(row["values"] == found["own"])


def _first(found: Content, done: Sequence[Content]) -> Row | None:
    """The best trial of the configuration's own settings, where the space holds them."""
    own = [row for row in done if is_own(row, found)]
    if not own:
        return None
    row = max(own, key=lambda row: row["score"])
    return _figures(row) | {"epochs": int(row["epochs"])}


def _figures(row: Content) -> Row:
    """A trial's score and measures; there is no RMSE where no ratings are predicted."""
    return {name: number(row[name]) for name in COLUMNS if name in row}


def _cells(row: Content, groups: Mapping[int, str]) -> Row:
    figures = _figures(row)
    whole = {name: f"{row[name]:.0f}" for name in ("epochs", "seconds")}
    values = {name: tuning_charts.shown(value) for name, value in row["values"].items()}
    group = groups[row["trial"]]
    told = group if group in ("best score", "your settings") else ""
    return {"trial": row["trial"], "told": told, "values": values, **figures, **whole}


def _drawn(
    found: Content, done: Sequence[Content], groups: Mapping[int, str], mattered: Sequence[Row]
) -> dict[str, charts.Spec]:
    lines = tuning_charts.coordinates(found["space"], done, groups)
    specs = {
        "coordinates": charts.described(
            lines, f"Settings of {len(done)} trials, one line each; the table below has them all."
        ),
    }
    if all("rmse" in row for row in done):
        specs["pareto"] = charts.described(
            tuning_charts.front(done, groups, pareto(done)),
            "NDCG over RMSE of each trial, with the line of those that no other beats in both.",
        )
    if mattered:
        words = "; ".join(f"{row['label']}: {row['value']:+.4f}" for row in mattered)
        specs["effects"] = charts.described(
            charts.forest(list(mattered), "mean score, higher by"),
            f"Mean score by value, against the mean of all: {words}.",
        )
    return specs
