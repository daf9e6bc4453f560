"""The figures of splits, groups, users and times, against small data made by hand."""

import datetime
import math

import pytest

from components.explore.content import make_content


def moment(*parts):
    return int(datetime.datetime(*parts).replace(tzinfo=datetime.timezone.utc).timestamp())


RATINGS = [
    ("a", 0, 4.0, moment(2001, 1, 1, 9), "train"), ("a", 1, 2.0, moment(2001, 1, 1, 9), "train"),
    ("b", 0, 3.0, moment(2001, 5, 6, 9), "train"), ("b", 2, 5.0, moment(2002, 5, 7, 23), "valid"),
    ("c", 0, 1.0, moment(2002, 6, 7, 23), "eval"), ("c", 3, 3.0, moment(2002, 6, 7, 23), "eval"),
    ("a", 2, 4.0, moment(2002, 7, 1, 23), "eval"), ("b", 1, 2.0, moment(2002, 7, 1, 23), "eval"),
]  # fmt: skip
USERS = {
    "a": {"gender": "F", "age": "18-24"},
    "b": {"gender": "M", "age": "under 18"},
    "c": {"gender": "F", "age": ""},
}


@pytest.fixture(scope="module")
def facts(make_explored):
    return make_content(make_explored(RATINGS, USERS))


def test_splits_say_what_train_never_saw(facts):
    train, valid, held_out = facts["splits"].values()
    assert (train["ratings"], train["users"], train["movies"]) == (3, 2, 2)
    assert (valid["ratings"], valid["users"], valid["new_users"]) == (1, 1, 0.0)
    assert (held_out["ratings"], held_out["users"]) == (4, 3)
    assert held_out["new_users"] == 0.5  # both ratings of c
    assert held_out["new_movies"] == 0.5  # of movies 2 and 3
    assert train["new_users"] is None and "new_movies" not in train


def test_mean_deviation_and_the_error_of_always_saying_trains_mean(facts):
    train, _, held_out = facts["splits"].values()
    assert train["mean"] == 3.0 and held_out["mean"] == 2.5
    assert train["deviation"] == train["constant_error"] == pytest.approx((2 / 3) ** 0.5)
    errors = [(3.0 - rating) ** 2 for rating in (1.0, 3.0, 4.0, 2.0)]
    assert held_out["constant_error"] == pytest.approx((sum(errors) / 4) ** 0.5)


def test_an_empty_valid_has_no_figures(make_explored):
    ratings = [row for row in RATINGS if row[4] != "valid"]
    valid = make_content(make_explored(ratings))["splits"]["valid"]
    assert valid["ratings"] == 0 and valid["users"] == 0
    names = ("mean", "deviation", "new_users", "new_movies", "short_list", "constant_error")
    assert all(valid[name] is None for name in names)


def test_the_short_list_is_of_trains_most_rated_movies(make_explored):
    train = [(f"u{i}", movie, 3.0, i, "train") for movie in range(11) for i in range(12 - movie)]
    held_out = [("u0", movie, 3.0, 99, "eval") for movie in (0, 9, 10, 11)]
    facts = make_content(make_explored([*train, *held_out]))
    assert facts["splits"]["eval"]["short_list"] == 0.5  # 10 is the eleventh, 11 in no train row


def test_levels_are_shares_of_each_split(facts):
    shares = {(row["split"], row["rating"]): row["share"] for row in facts["levels"]}
    assert shares["train", 4.0] == pytest.approx(1 / 3) and shares["eval", 1.0] == 0.25
    for split in ("train", "valid", "eval"):
        assert sum(share for (of, _), share in shares.items() if of == split) == pytest.approx(1)
    assert ("train", 4.5) not in shares  # nobody gives halves


def test_groups_rate_and_rate_much(facts):
    gender = {row["value"]: row for row in facts["groups"]["gender"]["values"]}
    assert gender["F"] == {
        "value": "F", "users": 2, "ratings": 5, "per_user": 2.5, "mean": pytest.approx(14 / 5),
    }  # fmt: skip
    ages = [row["value"] for row in facts["groups"]["age"]["values"]]
    assert ages == ["under 18", "18-24", "unknown"]
    shares = {(r["value"], r["rating"]): r["share"] for r in facts["groups"]["gender"]["levels"]}
    assert shares["F", 4.0] == 0.4 and shares["M", 5.0] == pytest.approx(1 / 3)


def test_users_by_activity(facts):
    users = facts["users"]
    assert (users["number"], users["most"], users["median"]) == (3, 3, 3)
    assert {row["bucket"]: row["number"] for row in users["histogram"]} == {"1": 0, "2-4": 3}
    assert sorted((row["n"], row["mean"]) for row in users["sample"]) == [
        (2, 2.0), (3, pytest.approx(10 / 3)), (3, pytest.approx(10 / 3)),
    ]  # fmt: skip


def test_times(facts):
    times = facts["times"]
    months = {row["bucket"]: row["number"] for row in times["month_of_year"]}
    assert list(months)[:2] == ["Jan", "Feb"] and months["Jan"] == 2 and months["May"] == 2
    days = {row["bucket"]: row["number"] for row in times["weekday"]}
    assert days == {"Mon": 4, "Tue": 1, "Wed": 0, "Thu": 0, "Fri": 2, "Sat": 0, "Sun": 1}
    assert times["hour"][9] == {"bucket": "9", "number": 3}
    assert {"month": "2002-06", "split": "eval", "number": 2} in times["timeline"]
    assert times["years"] == [
        {"year": 2001, "number": 3, "mean": 3.0}, {"year": 2002, "number": 5, "mean": 3.0},
    ]  # fmt: skip
    assert times["busiest"]["share"] == 0.25


def test_no_times_are_none(make_explored):
    assert make_content(make_explored([(*r[:3], None, r[4]) for r in RATINGS]))["times"] is None


def test_what_was_seen_but_not_rated_counts_but_for_means(make_explored):
    """The same facts as without it, but for how much there is."""
    unrated = [("c", 4, math.nan, moment(2002, 6, 8, 1), "eval"), ("d", 4, math.nan, 9, "train")]
    people = USERS | {"d": {"gender": "X", "age": ""}}
    with_them, without = (
        make_content(make_explored([*RATINGS, *more], people, movies=5)) for more in (unrated, [])
    )
    assert (with_them["rated"], without["rated"]) == (8, 8)
    for split, more in (("train", 1), ("valid", 0), ("eval", 1)):
        a, b = with_them["splits"][split], without["splits"][split]
        assert a["ratings"] == b["ratings"] + more and a["rated"] == b["rated"] == b["ratings"]
        for key in ("mean", "deviation", "constant_error"):
            assert a[key] == pytest.approx(b[key])
    assert with_them["levels"] == without["levels"]
    groups = {row["value"]: row for row in with_them["groups"]["gender"]["values"]}
    assert groups["X"] | {"users": 1, "ratings": 1, "mean": None} == groups["X"]
    assert groups["F"]["ratings"] == 6 and groups["F"]["mean"] == pytest.approx(14 / 5)
    assert with_them["users"]["number"] == 4
    assert sorted(row["mean"] for row in with_them["users"]["sample"]) == sorted(
        row["mean"] for row in without["users"]["sample"]
    )
    assert with_them["movies"]["rated"] == 5
    assert with_them["movies"]["best"] == without["movies"]["best"]
    years = {row["year"]: row["mean"] for row in with_them["times"]["years"]}
    assert years[1970] is None and years[2001] == pytest.approx(3.0)
