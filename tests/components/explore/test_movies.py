"""Movies ranked, grouped and drawn to what is usual."""

import numpy as np
import pytest

from components.explore import movies
from components.explore.content import make_content


def rated(*means_and_counts):
    """Train ratings by mean and count; an even count is half of them above, half below."""
    rows = []
    for movie, (mean, number) in enumerate(means_and_counts):
        for i in range(number):
            off = (-1.0, 1.0)[i % 2] if number % 2 == 0 else 0.0
            rows.append((f"u{i}", movie, mean + off, 1_000_000_000 + i, "train"))
    return [*rows, ("e", 0, means_and_counts[0][0], 1_100_000_000, "eval")]


def test_one_top_rating_is_not_the_best_of_all(make_explored):
    explored = make_explored(
        rated((3.0, 40), (4.0, 40), (2.0, 40), (5.0, 1), (1.0, 1), (3.0, 30), (3.0, 30))
    )
    found = explored.totals()
    drawn, weight = movies.shrunken(found)
    assert np.nanargmax(found.means) == 3 and np.argmax(drawn) == 1
    assert np.nanargmin(found.means) == 4 and np.argmin(drawn) == 2
    assert weight > 0
    facts = make_content(explored)["movies"]
    assert facts["best"][0]["movie"] == "Film 1" and facts["worst"][0]["movie"] == "Film 2"
    assert facts["most_rated"][0] == {
        "movie": "Film 0", "ratings": 41, "mean": 3.0, "shrunken": pytest.approx(drawn[0]),
    }  # fmt: skip


def test_the_weight_is_that_of_the_credibility_estimate():
    """Drawn from the model that the formula assumes, the variances' ratio is found again."""
    rng = np.random.default_rng(0)
    number, within, between = 3000, 1.0, 0.25
    counts = rng.integers(1, 60, number)
    truth = rng.normal(3, between, number)
    sums, squares = np.zeros(number), np.zeros(number)
    for movie, n in enumerate(counts):
        drawn = rng.normal(truth[movie], within, n)
        sums[movie], squares[movie] = drawn.sum(), np.square(drawn).sum()
    split = np.zeros([3, number], np.int64)
    split[0] = counts
    found = movies.Totals(split, counts[:, None], sums, squares)
    drawn, weight = movies.shrunken(found)
    assert weight == pytest.approx(within**2 / between**2, rel=0.15)
    assert np.mean((drawn - truth) ** 2) < 0.6 * np.mean((found.means - truth) ** 2)


def test_movies_that_do_not_differ_all_get_the_usual_mean(make_explored):
    explored = make_explored(rated((3.0, 4), (3.0, 4), (3.0, 6)))
    drawn, weight = movies.shrunken(explored.totals())
    assert weight == float("inf") and drawn == pytest.approx([3.0, 3.0, 3.0], abs=0.05)
    assert make_content(explored)["movies"]["weight"] is None


def test_a_movie_that_nobody_rated_is_in_no_list(make_explored):
    explored = make_explored(rated((3.0, 4), (4.0, 2)), movies=4)
    facts = make_content(explored, movie=3)
    assert facts["movies"]["rated"] == 2 and facts["movies"]["catalogue"] == 4
    for name in ("best", "worst", "most_rated"):
        assert {row["movie"] for row in facts["movies"][name]} == {"Film 0", "Film 1"}
    assert facts["movie"]["ratings"] == 0 and facts["movie"]["mean"] is None


def test_genres_decades_and_people_are_counted_and_the_unknown_left_out(make_explored):
    explored = make_explored(
        rated((3.0, 4), (4.0, 2), (2.0, 1)),
        genres=[["A", "B"], ["A"], []],
        year=[1994, 1999, 0],
        director=["Ann", "", "Ann"],
    )
    found = make_content(explored)["movies"]["by"]
    assert list(found) == ["genres", "director", "decade"]
    assert found["genres"] == [
        {"value": "A", "movies": 2, "ratings": 7, "mean": pytest.approx((15 + 8) / 7)},
        {"value": "B", "movies": 1, "ratings": 5, "mean": 3.0},
    ]
    assert found["decade"] == [
        {"value": "1990s", "movies": 2, "ratings": 7, "mean": pytest.approx(23 / 7)}
    ]
    assert found["director"] == [
        {"value": "Ann", "movies": 2, "ratings": 6, "mean": pytest.approx(17 / 6)}
    ]


def test_unknown_features_are_shares_of_movies(make_explored):
    explored = make_explored(
        rated((3.0, 4), (4.0, 2), (2.0, 1), (2.0, 1)),
        genres=[["A", "B"], ["A"], [], []],
        year=[1994, 0, 1999, 2001],
    )
    assert movies.unknown(explored.catalogue) == {"year": 0.25, "genres": 0.5}


def test_one_title_of_two_movies_tells_them_apart(make_explored):
    explored = make_explored(rated((3.0, 4), (4.0, 2), (2.0, 2)), titles=["Heat", "Heat", "Ran"])
    found = movies.movie_rows(explored.catalogue, explored.totals(), np.zeros(3), np.arange(3), 3)
    assert [row["movie"] for row in found] == ["Heat [m0]", "Heat [m1]", "Ran"]


def test_one_movie_shows_its_own_ratings(make_explored):
    explored = make_explored(rated((3.0, 4), (5.0, 3)))
    movie = make_content(explored, movie=0)["movie"]
    assert movie["splits"] == {"train": 4, "valid": 0, "eval": 1} and movie["rank"] == 1
    own = {row["rating"]: row["share"] for row in movie["levels"] if row["of"] == "this movie"}
    # What nobody gave any movie is not shown; 5.0 was given to the other one only.
    assert own == pytest.approx({2.0: 0.4, 3.0: 0.2, 4.0: 0.4, 5.0: 0.0})


def test_ranks_fall(make_explored):
    curve = movies.rank_curve(make_explored(rated((3.0, 9), (4.0, 2), (2.0, 5))).totals())
    assert curve == [
        {"rank": 1, "ratings": 10}, {"rank": 2, "ratings": 5}, {"rank": 3, "ratings": 2},
    ]  # fmt: skip
