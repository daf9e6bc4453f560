"""Each sentence on data in which it holds, and on data in which it does not."""

import math

import pytest

from components.explore import data_rules, task_rules
from components.explore.content import make_content
from components.explore.findings import RULES, findings

DAY, MONTH = 86_400, 31 * 86_400
NAMED = {rule.__name__: rule for rule, _ in RULES}


def train(*ratings):
    """Ratings of train, (user, movie, rating, time)."""
    return [(*row, "train") for row in ratings]


def held_out(*ratings):
    return [(*row, "eval") for row in ratings]


def crowd(users, movies=5, rating=3.0, first=0, start=0, pause=10 * DAY):
    """Users u0, u1, ... who rate the same movies, one every `pause` seconds."""
    return [
        (f"u{user}", movie, rating, start + place * pause + user)
        for user in range(first, first + users)
        for place, movie in enumerate(range(movies))
    ]


OLD = train(*crowd(30))
# name of the rule: what holds, what does not, and words that the sentence must have.
CASES = {
    "new_users: few": (
        [*OLD, *held_out(*crowd(9, first=30), *crowd(1))],
        [*OLD, *held_out(*crowd(3, first=29))[:10]],
        "90% of eval rows are of users that training never saw",
    ),
    "new_users: many": (
        [*OLD, *held_out(*crowd(3))],
        [*OLD, *held_out(*crowd(3, first=28))],
        "100% of eval rows are of users that training saw",
    ),
    "no_ratings: some": (
        train(*crowd(19, movies=10), *crowd(1, rating=math.nan, first=19)),
        train(*crowd(199, movies=1), *crowd(1, rating=math.nan, first=199, movies=1)),
        "of the rows say what was seen and not how it was liked",
    ),
    "no_ratings: none": (
        [*train(*crowd(9, rating=math.nan)), *held_out(*crowd(2, rating=math.nan))],
        OLD,
        "Nothing is rated: models are judged by their lists alone",
    ),
    "new_movies": (
        [*OLD, *held_out(("u0", 7, 3.0, 9), *crowd(1)[:3])],
        [*OLD, *held_out(*crowd(3))],
        "25.0% of eval rows are of movies that training never saw: nothing can place them",
    ),
    "small_eval": (
        [*OLD, *held_out(*crowd(199, movies=1))],
        [*OLD, *held_out(*crowd(200, movies=1))],
        "Eval holds 199 users only",
    ),
    "short_list": (
        [*OLD, *held_out(*crowd(3))],
        [*train(*crowd(30, movies=12)), *held_out(*(("u1", 11, 3.0, i) for i in range(60)),
                                                  ("u1", 0, 3.0, 9))],
        "The 10 most rated movies of train are 100.0% of eval rows",
    ),
    "long_tail": (
        train(*(("a", 0, 3.0, i) for i in range(300)), *(("b", m, 3.0, m) for m in range(100))),
        train(*(("b", m, 3.0, m) for m in range(100))),
        "The most rated 1% of movies have 75% of all ratings",
    ),
    "little_rated": (
        train(*crowd(4), *crowd(5, movies=3, first=4)),
        OLD,
        "40% of the catalogue's movies have fewer than 5 ratings in train",
    ),
    "few_users": (
        train(*(("a", m, 3.0, m) for m in range(90)), *crowd(8, movies=1)),
        OLD,
        "The most active 10% of users give 91% of all ratings",
    ),
    "mean_moves": (
        [*train(*crowd(5, rating=3.0), *crowd(5, rating=4.0, first=5)),
         *held_out(*crowd(5, rating=4.0))],
        [*train(*crowd(5, rating=3.0), *crowd(5, rating=4.0, first=5)),
         *held_out(*crowd(5, rating=3.5))],
        "Eval's mean rating is 4.00, 0.50 above train's",
    ),
    "no_times": (
        [(*row[:3], None, row[4]) for row in OLD],
        OLD,
        "Ratings have no times",
    ),
    "no_hours": (
        train(*((*row[:3], row[3] // DAY * DAY) for row in crowd(30))),
        OLD,
        "Times are days",
    ),
    "one_sitting": (
        train(*crowd(3, pause=60), *crowd(3, first=3)),
        OLD,
        "50% of users with several ratings gave them all on one day",
    ),
    "same_moment": (
        train(*crowd(3, pause=0), *crowd(3, first=3)),
        OLD,
        "50% of consecutive ratings of a user bear the same time",
    ),
    "shared_moments": (
        [*train(*crowd(3)), *held_out(*crowd(3, pause=0), *crowd(1, first=3))],
        [*train(*crowd(3, pause=0)), *held_out(*crowd(3, first=3))],
        "75% of eval rows share their moment with other ratings of the same user",
    ),
    "one_month": (
        train(*crowd(3, movies=8, pause=MONTH), *crowd(3, first=3, start=DAY, pause=60)),
        train(*crowd(3, movies=8, pause=MONTH)),
        "of all ratings are of one month, 1970-01",
    ),
}  # fmt: skip


def sentence(name, facts):
    return NAMED[name.split(":")[0]](facts)


def with_eval(ratings):
    """Every data set that a run accepts has an eval split."""
    if any(row[4] == "eval" for row in ratings):
        return ratings
    return [*ratings, ("z", *ratings[0][1:4], "eval")]


@pytest.mark.parametrize("name", list(CASES))
def test_a_sentence_is_said_where_it_holds_and_only_there(make_explored, name):
    holds, fails, told = CASES[name]
    assert told in str(sentence(name, make_content(make_explored(with_eval(holds)))))
    assert told not in str(sentence(name, make_content(make_explored(with_eval(fails)))))
    if ":" not in name:
        assert sentence(name, make_content(make_explored(with_eval(fails)))) is None


def test_in_between_nothing_is_said_of_new_users(make_explored):
    ratings = [*OLD, *held_out(*crowd(3, first=29))[:10]]  # five of ten are u29's, who is known
    assert task_rules.new_users(make_content(make_explored(ratings[:-2]))) is None


def test_features_that_can_place_new_movies_are_named(make_explored):
    ratings = [*OLD, *held_out(("u0", 5, 3.0, 9))]
    explored = make_explored(ratings, genres=[["A"]] * 6, year=[1990] * 6)
    assert "only their genres and year can place them" in str(
        task_rules.new_movies(make_content(explored))
    )


def test_unknown_features_are_named_with_their_share(make_explored):
    movies = {"movies": 20, "genres": [["A"]] * 20}
    many = make_explored(with_eval(OLD), **movies, director=["Ann"] * 12 + [""] * 8)
    few = make_explored(with_eval(OLD), **movies, director=["Ann"] * 19 + [""])
    told = data_rules.unknown_features(make_content(many))
    assert told == "Unknown for many movies of the catalogue: director (40%)."
    assert data_rules.unknown_features(make_content(few)) is None


def test_shared_titles_are_counted(make_explored):
    assert data_rules.same_titles(make_content(make_explored(with_eval(OLD)))) is None
    shared = make_explored(with_eval(OLD), titles=["A", "A", "B", "B", "C"])
    told = data_rules.same_titles(make_content(shared))
    assert str(told).startswith("2 movies share a title")


def test_dropped_rows_are_told_by_their_commonest_reason(make_explored):
    few = make_explored(with_eval(train(*crowd(300))), dropped={"off_scale": 1})
    many = make_explored(with_eval(OLD), dropped={"off_scale": 1, "exact_duplicate": 4})
    assert data_rules.dropped_rows(make_content(few)) is None
    told = data_rules.dropped_rows(make_content(many))
    assert told == ("5 of 156 rows (3.21%) were dropped, most of them as exact duplicate (4).")


@pytest.mark.parametrize(("women", "told"), [(2, "by one group, gender M"), (5, None), (11, None)])
def test_a_group_that_gives_most_ratings_is_named(make_explored, women, told):
    users = {f"u{i}": {"gender": "F" if i < women else "M"} for i in range(11)}
    ratings = [*train(*crowd(10)), *held_out(*crowd(1, first=10))]
    facts = make_content(make_explored(ratings, users))
    found = data_rules.lopsided_group(facts)
    assert (told in str(found)) if told else found is None


def test_all_that_holds_is_said_in_order_with_its_splits(make_explored):
    facts = make_content(make_explored([*OLD, *held_out(*crowd(9, first=30))]))
    found = findings(facts)
    expected = [rule(facts) for rule, _ in RULES if rule(facts)]
    assert [sentence.text for sentence in found] == expected and len(found) == 3
    assert found[0].splits == ("train", "eval") and "never saw" in found[0].text


def test_what_the_files_hold_is_said_first(make_explored):
    explored = make_explored(with_eval(OLD))
    explored.rows["findings"] = ["One user of 31, 'guest', has 40% of the rows."]
    found = findings(make_content(explored))
    assert (found[0].text, found[0].splits) == (explored.rows["findings"][0], ("files",))


def test_every_rule_is_tested_here():
    tested = {name.split(":")[0] for name in CASES}
    tested |= {"unknown_features", "same_titles", "dropped_rows", "lopsided_group"}
    assert set(NAMED) == tested
