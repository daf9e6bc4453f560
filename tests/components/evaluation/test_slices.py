"""Which ratings lie in which slice, against a plain reading of each Example."""

from typing import Any

import numpy as np
import pytest
from tfx_bsl.coders import example_coder

from components.evaluation.slices import dimensions, parse_slice, slice_name, slice_rows

HOUR = 3600


@pytest.fixture(scope="module")
def batch(example):
    rows: list[dict[str, Any]] = [
        {"n": 0, "genres": "Action\x1fDrama", "year": 1999, "gender": "F", "age": "25"},
        {"n": 1, "genres": "", "year": 0, "gender": "", "age": "25", "gap": HOUR - 1},
        {"n": 5, "genres": "Drama", "year": 2000, "gender": "M", "age": "18", "gap": HOUR},
        {"n": 6, "genres": "Drama", "year": 2009, "gender": "M", "age": "18", "gap": 0},
        {"n": 20, "genres": "<b>Odd & \u00e9</b>", "year": 1990, "gender": "F", "age": "18",
         "gap": 9 * HOUR},
        {"n": 21, "genres": "Action", "year": 1989, "gender": "F", "age": "25", "gap": -5},
    ]  # fmt: skip
    examples = [
        example(
            user_id="u", movie_id=["m"], rating=[3.0], timestamp=[10**15], year=[row["year"]],
            genres=[row["genres"]], gender=row["gender"], age=row["age"],
            history_movie_id=["x"] * row["n"],
            history_timestamp=[5] * max(0, row["n"] - 1)
            + [10**15 - row.get("gap", 0) * 1_000_000] * (row["n"] > 0),
        )
        for row in rows
    ]  # fmt: skip
    return example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(examples)


OUTPUTS = {
    "movie_tenth": np.array([1, 10, 0, 1, 2, 3], np.float32),
    "known_user": np.array([1, 1, 0, 0, 1, 1], np.float32),
}


def _found(batch, names, crosses=()):
    found = slice_rows(batch, OUTPUTS, list(names), [list(pair) for pair in crosses])
    return {slice_name(key): rows.tolist() for key, rows in found.items()}


def test_every_dimension(batch):
    assert _found(batch, dimensions(["gender", "age"])) == {
        "": [0, 1, 2, 3, 4, 5],
        "history=0": [0], "history=1-5": [1, 2], "history=6-20": [3, 4],
        "history=more than 20": [5],
        "user=known": [0, 1, 4, 5], "user=cold": [2, 3],
        "movie=known": [0, 1, 3, 4, 5], "movie=cold": [2],
        "popularity=01": [0, 3], "popularity=02": [4], "popularity=03": [5], "popularity=10": [1],
        "session=same": [1, 3], "session=after a pause": [2, 4], "session=first of all": [0],
        "gender=F": [0, 4, 5], "gender=M": [2, 3],
        "age=18": [2, 3, 4], "age=25": [0, 1, 5],
        "genre=Action": [0, 5], "genre=Drama": [0, 2, 3], "genre=<b>Odd & \u00e9</b>": [4],
        "decade=1980s": [5], "decade=1990s": [0, 4], "decade=2000s": [2, 3],
    }  # fmt: skip


def test_crosses_hold_the_rows_of_both(batch):
    found = _found(batch, [], [["genre", "gender"]])
    assert found == {
        "": [0, 1, 2, 3, 4, 5],
        "gender=F,genre=Action": [0, 5],
        "gender=F,genre=Drama": [0],
        "gender=M,genre=Drama": [2, 3],
        "gender=F,genre=<b>Odd & \u00e9</b>": [4],
    }


def test_a_source_without_features_has_fewer_slices(example):
    plain = [example(user_id="u", movie_id=["m"], rating=[3.0], history_movie_id=["x"])] * 6
    batch = example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(plain)
    names = {name.split("=")[0] for name in _found(batch, dimensions(["gender"]))}
    assert names == {"", "history", "user", "movie", "popularity"}


def test_ratings_before_which_nothing_is_known_are_the_first_of_all(example):
    first = [example(user_id="u", movie_id=["m"], rating=[3.0], timestamp=[10**15])] * 2
    batch = example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(first)
    found = slice_rows(batch, {}, ["session"], [])
    assert {slice_name(key): rows.tolist() for key, rows in found.items()} == {
        "": [0, 1], "session=first of all": [0, 1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("genre", [("genre", None)]),
        ("genre=Film=Noir", [("genre", "Film=Noir")]),
        ("gender=F, age=25", [("age", "25"), ("gender", "F")]),
    ],
)
def test_names_of_slices(name, parts):
    assert parse_slice(name) == parts
