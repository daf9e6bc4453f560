"""How users rate, and how much, by what the source says of them and of their ratings."""

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples.arrow import filled
from components.examples.buckets import bucketed

Rows = list[dict[str, Any]]
UNKNOWN = "unknown"
MOST = 25  # values of a feature that are shown, the most rated


def compare_groups(
    cubes: dict[str, pa.Table], levels: list[float], numbers: Collection[str] = ()
) -> dict[str, dict[str, Rows]]:
    """By feature: `values` (users, ratings, per_user, mean) and `levels` (shares of ratings).

    What has no value counts as a rating, but for mean (None without any value) and levels. The
    values of `numbers` are their buckets.
    """
    if "groups" not in cubes:
        return {}
    names = pc.unique(cubes["people"]["feature"]).to_pylist()
    return {name: _feature(cubes, name, levels, name in numbers) for name in names}


def _feature(
    cubes: dict[str, pa.Table], name: str, levels: list[float], number: bool
) -> dict[str, Rows]:
    groups, people = (
        cubes[cube].filter(pc.equal(cubes[cube]["feature"], name)) for cube in ("groups", "people")
    )
    names: dict[str, str] = {}
    if number:
        names = _buckets(people)
        groups, people = (_renamed(table, names) for table in (groups, people))
    users: dict[str, int] = {}
    for value, n in zip(filled(people["value"]), filled(people["n"]), strict=True):
        users[value] = users.get(value, 0) + n
    # Behind the last level stands what was not rated: its level is -1.
    counts: dict[str, Any] = {value: np.zeros(len(levels) + 1, np.int64) for value in users}
    sums = dict.fromkeys(users, 0.0)
    for row in groups.to_pylist():
        counts[row["value"]][row["level"]] += row["n"]
        sums[row["value"]] += row["sum"]
    rated = {value: int(found[:-1].sum()) for value, found in counts.items()}
    shown = sorted(counts, key=lambda value: -int(counts[value].sum()))[:MOST]
    if number:
        shown = [value for value in dict.fromkeys([*names.values(), ""]) if value in users]
    elif all(re.search(r"\d", value) for value in shown if value):
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


def _buckets(people: pa.Table) -> dict[str, str]:
    """The bucket of each text of a number, ascending; '' stays what it is."""
    known = people.filter(pc.not_equal(people["value"], ""))
    texts = filled(known["value"])
    numbers = np.array(texts).astype(np.float32)
    names = bucketed(numbers, known["n"].to_numpy())
    order = np.argsort(numbers, kind="stable")
    return {texts[place]: names[place] for place in order}


def _renamed(table: pa.Table, names: dict[str, str]) -> pa.Table:
    """The table with the buckets' names for values."""
    values = [names.get(text, "") for text in filled(table["value"])]
    place = table.column_names.index("value")
    return table.set_column(place, "value", pa.array(values, pa.string()))


def _first_number(value: str) -> tuple[bool, int, str]:
    """Orders values with numbers: under 18 first, then by where they start, the unknown last."""
    found = re.search(r"\d+", value)
    start = int(found[0]) if found else 0
    return (not found, start - value.startswith("under"), value)
