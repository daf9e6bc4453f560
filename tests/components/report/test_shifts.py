"""How far eval is from train, against counting by hand, and its charts."""

import pytest

from components.report.shift_charts import MOST, drawn_shifts
from components.report.shifts import MANY, SHOWN, shifts


def _by_feature(found):
    return {one["feature"]: one for one in found}


@pytest.fixture(scope="module")
def compare(example, write_records, tmp_path_factory):
    """Compares rows that are told as fields."""

    def make(train, evaluated):
        folder = tmp_path_factory.mktemp("shifts")
        sides = ((folder / name, rows) for name, rows in (("t", train), ("e", evaluated)))
        return shifts(*([write_records(p, [example(**row) for row in rows])] for p, rows in sides))

    return make


def test_targets_are_counted_not_examples_and_several_values_each(compare):
    train = [
        {"user_id": "a", "gender": "F", "movie_id": ["m", "n", "o"], "rating": [1.0, 2.0, 2.0],
         "genres": ["War\x1fDrama", "War", ""], "history_movie_id": ["x"]},
        {"user_id": "b", "gender": "M", "movie_id": ["m"], "rating": [1.0], "genres": ["Drama"]},
    ]  # fmt: skip
    evaluated = [{"user_id": "b", "gender": "M", "movie_id": "m", "rating": 3.0, "genres": "War"}]
    found = _by_feature(compare(train, evaluated))
    assert set(found) == {"gender", "rating", "genres"}
    assert found["gender"]["distance"] == 0.75
    assert found["rating"]["rows"] == [
        {"value": "1", "train": 0.5, "eval": 0.0}, {"value": "2", "train": 0.5, "eval": 0.0},
        {"value": "3", "train": 0.0, "eval": 1.0},
    ]  # fmt: skip
    genres = {row["value"]: (row["train"], row["eval"]) for row in found["genres"]["rows"]}
    assert genres == {"War": (0.5, 1.0), "Drama": (0.5, 0.0)}
    assert found["genres"]["distance"] == 0.5


def test_many_numbers_go_into_buckets_and_unknown_ones_are_left_out(compare):
    train = [{"user_id": "a", "movie_id": [f"m{i}" for i in range(101)],
              "year": [0, *range(1900, 2000)]}]  # fmt: skip
    evaluated = [{"user_id": "a", "movie_id": "m", "year": year} for year in (0, 1999, 1998)]
    (found,) = compare(train, evaluated)
    assert found["feature"] == "year" and len(found["rows"]) == 10
    assert sum(row["train"] for row in found["rows"]) == pytest.approx(1.0)
    last = found["rows"][-1]
    assert last["eval"] == 1.0 and found["distance"] == pytest.approx(1.0 - last["train"])


def test_texts_with_too_many_values_and_features_of_one_side_are_left_out(compare):
    names = [f"n{i}" for i in range(MANY + 1)]
    train = [{"user_id": "a", "movie_id": names, "star": names, "genres": ["War"] * len(names)}]
    assert compare(train, [{"user_id": "a", "movie_id": "m", "star": "n1", "other": "x"}]) == []


def test_the_most_frequent_values_are_shown(compare):
    movies = [f"m{i}" for i in range(40)]
    train = [{"user_id": "a", "movie_id": movies, "star": [f"s{min(i, 20)}" for i in range(40)]}]
    (found,) = compare(train, [{"user_id": "a", "movie_id": "m", "star": "s7"}])
    shown = [row["value"] for row in found["rows"]]
    assert len(shown) == SHOWN and shown[:2] == ["s7", "s20"]


def test_each_feature_that_differs_most_has_a_chart():
    one = {"feature": "f", "distance": 0.5, "rows": [{"value": "x", "train": 0.5, "eval": 1.0}]}
    drawn = drawn_shifts([{**one, "feature": f"f{i}"} for i in range(MOST + 2)])
    assert set(drawn) == {"shifts", *(f"shift-{i}" for i in range(MOST))}
    assert "x: 50.0%, 100.0%" in drawn["shift-0"]["description"]
    assert drawn_shifts([]) == {}
