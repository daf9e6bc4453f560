"""Counting a partition, against counting one rating after another, in parts or as a whole."""

import datetime
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.explore import cubes
from components.explore.cubes import count, merge

SCALE = (1.0, 5.0)
SPLITS = ("train", "valid", "eval")


def rows_of(table, *columns):
    """A cube as {keys: sums}; columns are keys, then sums."""
    keys, sums = columns[:-1], columns[-1]
    return {
        tuple(row[key] for key in keys): tuple(row[name] for name in sums)
        for row in table.to_pylist()
    }


@pytest.fixture(scope="module")
def found(make_partition, drawn_ratings):
    users = {f"u{i}": {"gender": "FM"[i % 2], "age": f"{i % 3}"} for i in range(60)}
    return count(make_partition(drawn_ratings, users), SCALE)


def test_movies_hold_each_rating_once(found, drawn_ratings):
    expected = defaultdict(list)
    for _, movie, rating, _, split in drawn_ratings:
        expected[SPLITS.index(split), movie, int((rating - 1) * 2)].append(rating)
    table = rows_of(found["movies"], "split", "movie", "level", ("n", "sum", "squares"))
    assert table == {
        key: (len(r), sum(r), sum(value * value for value in r)) for key, r in expected.items()
    }


def test_times_are_utc_months_days_and_hours(found, drawn_ratings):
    times = [datetime.datetime.fromtimestamp(r[3], datetime.timezone.utc) for r in drawn_ratings]
    months = Counter(
        (SPLITS.index(row[4]), (time.year - 1970) * 12 + time.month - 1)
        for row, time in zip(drawn_ratings, times, strict=True)
    )
    table = rows_of(found["months"], "split", "month", ("n",))
    assert table == {key: (n,) for key, n in months.items()}
    hours = Counter((time.weekday(), time.hour) for time in times)
    assert rows_of(found["hours"], "weekday", "hour", ("n",)) == {k: (n,) for k, n in hours.items()}


def test_times_before_1970_are_times_too(make_partition):
    moment = datetime.datetime(1965, 3, 5, 21, tzinfo=datetime.timezone.utc)  # a Friday
    partition = make_partition([("a", 0, 3.0, int(moment.timestamp()), "train")])
    made = count(partition, SCALE)
    assert made["months"]["month"].to_pylist() == [-5 * 12 + 2]
    assert made["hours"].select(["weekday", "hour"]).to_pylist() == [{"weekday": 4, "hour": 21}]


def test_groups_hold_ratings_and_users_of_each_value(found, drawn_ratings):
    ratings: Counter[tuple[str, str, int]] = Counter()
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    for user, _, rating, _, _ in drawn_ratings:
        number = int(user[1:])
        for feature, value in (("gender", "FM"[number % 2]), ("age", f"{number % 3}")):
            ratings[feature, value, int((rating - 1) * 2)] += 1
            people[feature, value].add(user)
    table = rows_of(found["groups"], "feature", "value", "level", ("n",))
    assert table == {key: (n,) for key, n in ratings.items()}
    users = rows_of(found["people"], "feature", "value", ("n",))
    assert users == {key: (len(names),) for key, names in people.items()}


def test_histories_say_what_train_knows_of_whom_eval_asks(found, drawn_ratings):
    per_user: dict[str, Counter[str]] = defaultdict(Counter)
    for user, _, _, _, split in drawn_ratings:
        per_user[user][split] += 1
    expected: dict[int, Any] = defaultdict(lambda: np.zeros(5, int))
    for of in per_user.values():
        expected[of["train"]] += [1, of["valid"], of["valid"] > 0, of["eval"], of["eval"] > 0]
    names = ("users", "valid_ratings", "valid_users", "eval_ratings", "eval_users")
    table = rows_of(found["histories"], "known", names)
    assert table == {(key,): tuple(values) for key, values in expected.items()}
    totals = Counter(of.total() for of in per_user.values())
    assert rows_of(found["activity"], "total", ("n",)) == {(k,): (n,) for k, n in totals.items()}


def test_pace_counts_pauses_within_a_user_whatever_the_split(make_partition):
    day = 86_400
    ratings = [
        ("a", 0, 3.0, day, "train"), ("a", 1, 3.0, day, "valid"), ("a", 2, 3.0, day + 59, "eval"),
        ("a", 3, 3.0, 2 * day + 60, "eval"),
        ("b", 0, 3.0, day + 1, "train"), ("b", 1, 3.0, day + 90, "train"),
        ("c", 0, 3.0, day + 1, "eval"),
    ]  # fmt: skip
    # Splits follow one another in a partition, so a user's times need not be in order.
    (pace,) = count(make_partition(ratings[::-1]), SCALE)["pace"].to_pylist()
    assert pace == {
        "all": 0, "pairs": 4, "same_moment": 1, "same_minute": 2, "several": 2, "one_day": 1,
        "midnight": 2, "ratings": 7,
    }  # fmt: skip


def test_parts_add_up_to_the_whole(found, make_partition, drawn_ratings):
    users = {f"u{i}": {"gender": "FM"[i % 2], "age": f"{i % 3}"} for i in range(60)}
    parts = [
        count(make_partition(rows, {u: users[u] for u in {r[0] for r in rows}}), SCALE)
        for k in range(3)
        if (rows := [row for row in drawn_ratings if int(row[0][1:]) % 3 == k])
    ]
    whole = merge([found])
    assert set(whole) == {*cubes.KEYS, "sample"}
    for order in (parts, parts[::-1], [merge(parts[1:]), parts[0]]):
        added = merge(order)
        for name, table in whole.items():
            names = table.column_names
            assert added[name].select(names).to_pydict() == table.to_pydict(), name


def test_the_sample_is_bounded_and_the_same_for_any_parts(found, monkeypatch):
    monkeypatch.setattr(cubes, "MOST_SAMPLED", 7)
    sample = merge([{"sample": found["sample"]}])["sample"]
    assert len(sample) == 7
    assert sample["user"].to_pylist() == sorted(found["sample"]["user"].to_pylist())[:7]


def test_nothing_is_known_of_times_and_groups_that_are_not_there(make_partition):
    made = count(make_partition([("a", 0, 3.0, None, "train")]), SCALE)
    assert set(made) == {"movies", "activity", "histories", "sample"}


def test_what_is_said_of_ratings_counts_them_and_those_who_gave_them(make_partition):
    rated = [("a", 0, 3.0), ("a", 1, 5.0), ("a", 2, 4.0), ("b", 0, 4.0)]
    partition = make_partition([(*own, None, "train") for own in rated])
    told = pa.array([b"tv", b"tv", b"", b"tv"], pa.large_binary())
    made = count(replace(partition, events=pa.table({"device": told})), SCALE)
    people = {row["value"]: row["n"] for row in made["people"].to_pylist()}
    assert people == {"tv": 2, "": 1}
    groups = made["groups"].to_pylist()
    assert {row["feature"] for row in groups} == {"device"}
    sums = [(row["n"], row["sum"]) for row in groups if row["value"] == "tv"]
    assert sorted(sums) == [(1, 3.0), (1, 4.0), (1, 5.0)]


def test_a_partition_without_users_adds_nothing(found, make_partition, drawn_ratings):
    users = {f"u{i}": {"gender": "F", "age": "1"} for i in range(60)}
    full = make_partition(drawn_ratings, users)
    nothing = (own.slice(0, 0) for own in (full.ratings, full.users, full.events))
    empty = count(type(full)(*nothing), SCALE)
    added, whole = merge([empty, found]), merge([found])
    for name, table in whole.items():
        assert added[name].to_pydict() == table.to_pydict(), name
