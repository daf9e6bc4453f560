"""Counts of ratings by what the page asks for: small tables that add up over partitions.

A cube has a row for each combination of its keys that occurs; its other columns are sums. So a
hundred million ratings take no more memory than one partition of them and the catalogue's size.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.evaluation.bands import centres
from components.example_gen.split.splits import EVAL, TRAIN, VALID
from components.examples.arrow import grouped
from components.examples.hashing import hash_strings
from components.explore.reading import Partition

Cubes = dict[str, pa.Table]
KEYS: Mapping[str, Sequence[str]] = {
    "movies": ("split", "movie", "level"),
    "months": ("split", "month"),
    "hours": ("weekday", "hour"),
    "groups": ("feature", "value", "level"),
    "people": ("feature", "value"),
    "activity": ("total",),
    "histories": ("known",),
    "pace": ("all",),
}
SAMPLE = "sample"
MOST_SAMPLED = 2000  # users that the scatter shows
SECOND = 1_000_000  # in the Examples' unit
DAY, HOUR, MINUTE = 86_400 * SECOND, 3_600 * SECOND, 60 * SECOND
UNRATED = -1  # the level of what was seen but not rated
THURSDAY = 3  # 1970-01-01, with Monday as 0


def count(partition: Partition, scale: tuple[float, float] | None) -> Cubes:
    """Counts one partition; what was seen but not rated counts as a rating in every `n`.

    Returns:
      By name, with the keys of `KEYS`:
      movies: n, sum and squares of ratings by split, movie (row of the catalogue) and level (place
        among `bands.centres` of the scale, UNRATED without a rating).
      months: n, rated and sum of ratings by split and month (since January 1970, UTC).
      hours: n of ratings by weekday (0 Monday) and hour, UTC.
      groups: n and sum of ratings by feature of users or of ratings, value and level; people: users
        of each value, of whom one may have several where it is of ratings.
      activity: users by their ratings in total.
      histories: by ratings in train, `users`, and of valid and eval the users and the ratings.
      pace: of consecutive ratings of a user, how many there are, of the same moment and within a
        minute; users with more than one rating, and those of them with all on one day (UTC);
        ratings at midnight sharp.
      sample: user (a hash), n and mean rating (null without any) of the users with the smallest
        hashes.
    """
    table = _valued(partition.ratings, scale)
    timed = "timestamp" in table.column_names
    return {
        "movies": _summed(table, KEYS["movies"], ("rating", "squares")),
        **_users(partition, table),
        **_groups(partition, table),
        **(_times(table) if timed else {}),
    }


def _valued(ratings: pa.Table, scale: tuple[float, float] | None) -> pa.Table:
    """The ratings with `level`, `squares` and `rated` (0 or 1); 0 for those that there are not."""
    given = ratings["rating"].to_numpy()
    rated = np.isfinite(given)
    value = np.where(rated, given, 0.0)
    level = np.full(len(given), UNRATED, np.int8)
    if scale is not None:
        middles = centres(scale)
        places = np.rint((value - scale[0]) / np.diff(middles)[0])
        level[rated] = np.clip(places, 0, len(middles) - 1).astype(np.int8)[rated]
    columns = {"rating": value, "level": level, "squares": np.square(value)}
    kept = ratings.drop(["rating"])
    for name, values in (columns | {"rated": rated.astype(np.int64)}).items():
        kept = kept.append_column(name, pa.array(values))
    return kept


def merge(parts: Sequence[Cubes]) -> Cubes:
    """The counts of all parts together, in whatever order and grouping they come."""
    merged: Cubes = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        tables = [part[name] for part in parts if name in part]
        whole = pa.concat_tables([table.select(sorted(table.column_names)) for table in tables])
        if name == SAMPLE:
            merged[name] = _sampled(whole)
            continue
        keys = list(KEYS[name])
        sums = [column for column in whole.column_names if column not in keys]
        added = grouped(whole, keys, [(column, "sum") for column in sums])
        merged[name] = added.rename_columns([*sums, *keys]).sort_by(
            [(k, "ascending") for k in keys]
        )
    return merged


def _summed(table: pa.Table, keys: Sequence[str], sums: Sequence[str] = ()) -> pa.Table:
    """Rows of each combination of keys as `n`, and sums (`rating` as `sum`)."""
    wanted: list[tuple[str, Any]] = [(keys[0], "count"), *((name, "sum") for name in sums)]
    counted = grouped(table, list(keys), wanted)
    names = ["sum" if name == "rating" else name for name in sums]
    return counted.rename_columns(["n", *names, *keys])


def _users(partition: Partition, table: pa.Table) -> Cubes:
    users, number = len(partition.users), table["user"].to_numpy()
    code = table["split"].to_numpy()
    total = np.bincount(number, minlength=users)
    of = {split: np.bincount(number[code == split], minlength=users) for split in range(3)}
    per_user = pa.table(
        {
            "known": of[TRAIN],
            "users": np.ones(users, np.int64),
            "valid_ratings": of[VALID],
            "valid_users": (of[VALID] > 0).astype(np.int64),
            "eval_ratings": of[EVAL],
            "eval_users": (of[EVAL] > 0).astype(np.int64),
        }
    )
    rated = np.bincount(number, table["rated"].to_numpy(), users)
    mean = np.bincount(number, table["rating"].to_numpy(), users) / np.maximum(rated, 1)
    ids = partition.users["user_id"].cast(pa.string()).combine_chunks()
    known = pa.array(mean, mask=rated == 0)
    sample = pa.table({"user": _hashes(ids), "n": total, "mean": known})
    return {
        "activity": _summed(pa.table({"total": total}), KEYS["activity"]),
        "histories": merge([{"histories": per_user}])["histories"],
        SAMPLE: _sampled(sample),
    }


def _hashes(ids: pa.Array) -> NDArray[Any]:
    return hash_strings(ids) if len(ids) else np.zeros(0, np.uint64)


def _sampled(users: pa.Table) -> pa.Table:
    return users.take(pc.sort_indices(users["user"])[:MOST_SAMPLED])


def _groups(partition: Partition, table: pa.Table) -> Cubes:
    groups, people = [], []
    for name in partition.users.column_names[1:]:
        value = _texts(partition.users[name])
        feature = {"feature": pa.array([name] * len(value), pa.string()), "value": value}
        people.append(_summed(pa.table(feature), KEYS["people"]))
        columns = {"value": value.take(table["user"]), "level": table["level"]}
        rated = pa.table(columns | {"rating": table["rating"]})
        groups.append(_labelled(rated, name))
    for name in partition.events.column_names:
        value = _texts(partition.events[name])
        who = pa.table({"user": table["user"], "value": value}).group_by(["user", "value"])
        distinct = who.aggregate([])["value"]
        feature = {"feature": pa.array([name] * len(distinct), pa.string()), "value": distinct}
        people.append(_summed(pa.table(feature), KEYS["people"]))
        columns = {"value": value, "level": table["level"], "rating": table["rating"]}
        groups.append(_labelled(pa.table(columns), name))
    if not groups:
        return {}
    return {"groups": pa.concat_tables(groups), "people": pa.concat_tables(people)}


def _labelled(rated: pa.Table, name: str) -> pa.Table:
    """Ratings by value and level, with the feature's name."""
    counted = _summed(rated, ("value", "level"), ("rating",))
    return counted.append_column("feature", pa.array([name] * len(counted), pa.string()))


def _texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as text, numbers to four digits so that there are few of them; '' where unknown."""
    if not pa.types.is_floating(values.type):
        return values.cast(pa.string())
    numbers = values.to_numpy()
    texts = np.where(np.isnan(numbers), "", np.char.mod("%.4g", numbers))
    return pa.chunked_array([pa.array(texts.tolist(), pa.string())])


def _times(table: pa.Table) -> Cubes:
    moments = table["timestamp"].to_numpy()
    days = np.floor_divide(moments, DAY)
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    table = table.append_column("month", pa.array(month))
    weekday, hour = (days + THURSDAY) % 7, (moments - days * DAY) // HOUR
    hours = pa.table({"weekday": weekday, "hour": hour})
    return {
        "months": _summed(table, KEYS["months"], ("rating", "rated")),
        "hours": _summed(hours, KEYS["hours"]),
        "pace": _pace(table["user"].to_numpy(), moments, days),
    }


def _pace(user: NDArray[Any], moments: NDArray[Any], days: NDArray[Any]) -> pa.Table:
    order = np.lexsort((moments, user))
    same = np.diff(user[order]) == 0
    pauses = np.diff(moments[order])[same]
    first = np.flatnonzero(np.diff(user[order], prepend=-1))
    last = np.append(first[1:], len(order)) - 1 if len(first) else first
    several = last > first
    one_day = days[order][first] == days[order][last]
    numbers = {
        "pairs": len(pauses),
        "same_moment": int((pauses == 0).sum()),
        "same_minute": int((pauses < MINUTE).sum()),
        "several": int(several.sum()),
        "one_day": int((several & one_day).sum()),
        "midnight": int((moments % DAY == 0).sum()),
        "ratings": len(moments),
    }
    return pa.table({"all": [0], **{name: [number] for name, number in numbers.items()}})
