"""How the groups of users rate, and how much, where the source says who they are."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples.arrow import filled

Rows = list[dict[str, Any]]
UNKNOWN = "unknown"
MOST = 25  # values of a feature that are shown, the most rated


def compare_groups(cubes: dict[str, pa.Table], levels: list[float]) -> dict[str, dict[str, Rows]]:
    """By feature: `values` (users, ratings, per_user, mean) and `levels` (shares of ratings).

    What has no value counts as a rating, but for mean (None without any value) and levels.
    """
    if "groups" not in cubes:
        return {}
    names = pc.unique(cubes["people"]["feature"]).to_pylist()
    return {name: _feature(cubes, name, levels) for name in names}


def _feature(cubes: dict[str, pa.Table], name: str, levels: list[float]) -> dict[str, Rows]:
    groups, people = (
        cubes[cube].filter(pc.equal(cubes[cube]["feature"], name)) for cube in ("groups", "people")
    )
    users = dict(zip(filled(people["value"]), filled(people["n"]), strict=True))
    # Behind the last level stands what was not rated: its level is -1.
    counts: dict[str, Any] = {value: np.zeros(len(levels) + 1, np.int64) for value in users}
    sums = dict.fromkeys(users, 0.0)
    for row in groups.to_pylist():
        counts[row["value"]][row["level"]] += row["n"]
        sums[row["value"]] += row["sum"]
    rated = {value: int(found[:-1].sum()) for value, found in counts.items()}
    shown = sorted(counts, key=lambda value: -int(counts[value].sum()))[:MOST]
    if all(re.search(r"\d", value) for value in shown if value):
        shown.sort(key=_first_number)
    values = [
        {
            "value": value or UNKNOWN,
            "users": users[value],
            "ratings": int(counts[value].sum()),
            "per_user": float(counts[value].sum() / users[value]),
            "mean": float(sums[value] / rated[value]) if rated[value] else None,
        }
        for value in shown
    ]
    used = np.flatnonzero(sum(counts.values())[:-1])
    shares = [
        {
            "value": value or UNKNOWN,
            "rating": levels[place],
            "share": float(counts[value][place] / rated[value]),
        }
        for value in shown
        if rated[value]
        for place in used
    ]
    return {"values": values, "levels": shares}


def _first_number(value: str) -> tuple[bool, int, str]:
    """Orders values with numbers: under 18 first, then by where they start, the unknown last."""
    found = re.search(r"\d+", value)
    start = int(found[0]) if found else 0
    return (not found, start - value.startswith("under"), value)
