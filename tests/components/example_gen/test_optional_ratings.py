"""Sources without ratings, with words for them, and with movies that were seen but not rated."""

import math
import random
from typing import Any

import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from components.example_gen.read.rating_cells import ratings
from components.example_gen.split.splits import TRAIN
from components.example_gen.split.timeline import order_rows
from components.validation.curated import curated_schema
from schemas.source import Source

COLUMNS = {"user_id": "who", "movie_id": "what", "timestamp": "when"}


def _source(columns=None, scale=None, **ratings):
    columns = COLUMNS if columns is None else columns
    table = {"files": "events.csv", "columns": columns, **ratings}
    return Source(name="test", scale=scale, ratings=table)


def _rated(scale=(1, 10), **ratings):
    return _source(COLUMNS | {"rating": "mark"}, scale, **ratings)


def _events(mark, users=30, each=12, seed=0):
    """Distinct events; `mark` makes the cell of the rating from a random number."""
    rng = random.Random(seed)
    rows = []
    for user in range(users):
        for movie in rng.sample(range(40), each):
            rows.append(f"u{user},m{movie},{mark(rng)},{rng.randrange(10**9, 2 * 10**9)}")
    return rows


def _generate(source, rows, folder, **split):
    (folder / "events.csv").write_text("\n".join(["who,what,mark,when", *rows, ""]))
    uris = str(folder / "examples"), str(folder / "catalogue")
    return generate(source, SplitConfig(**split), str(folder), *uris)


def _examples(folder):
    files = [
        str(path)
        for split in ("train", "valid", "eval")
        for path in folder.glob(f"examples/Split-{split}/*")
    ]
    for raw in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        yield tf.train.Example.FromString(raw).features.feature


def _values(folder, name):
    return [v for e in _examples(folder) for v in e[name].float_list.value]


@pytest.mark.parametrize("split", [{}, {"kind": "random"}, {"kind": "leave_last_n"}])
def test_without_ratings_examples_have_none(tmp_path, split):
    rows = _events(lambda rng: "")
    report = _generate(_source(), rows, tmp_path, **split)
    assert (report["kept"], report["rated"], report["unrated"]) == (len(rows), 0, len(rows))
    assert report["dropped"] == {}
    names = {name for example in _examples(tmp_path) for name in example}
    assert {"movie_id", "timestamp", "history_movie_id"} <= names
    assert not names & {"rating", "history_rating"}


def test_who_sees_a_movie_again_repeats_nothing(tmp_path):
    rows = _events(lambda rng: "")
    again = [row.rpartition(",")[0] + ",1999999999" for row in rows[::2]]
    split = {"kind": "random", "max_bad_share": 0}
    report = _generate(_source(), rows + rows + again, tmp_path, **split)
    assert report["dropped"] == {"superseded": len(rows) + len(again)}
    stamps = [v for e in _examples(tmp_path) for v in e["timestamp"].int64_list.value]
    assert sum(stamp == max(stamps) for stamp in stamps) == len(again)


def test_a_movie_that_was_seen_and_not_rated(tmp_path):
    rows = _events(lambda rng: rng.choice(["-1", "-1.0", "3", "10"]))
    report = _generate(_rated(unrated=("-1",)), rows, tmp_path, kind="leave_last_n")
    seen = sum(",-1" in row for row in rows)
    assert report["kept"] == len(rows) and report["dropped"] == {}
    assert (report["rated"], report["unrated"]) == (len(rows) - seen, seen)
    found = _values(tmp_path, "rating")
    assert sum(map(math.isnan, found)) == seen
    assert {value for value in found if value == value} == {3, 10}
    assert any(map(math.isnan, _values(tmp_path, "history_rating")))


def test_an_empty_cell_may_stand_for_seen_but_no_other_field(tmp_path):
    rows = [*_events(lambda rng: rng.choice(["", "NA", "7"])), ",m1,7,1500000000", "u1,m1,,"]
    report = _generate(_rated(unrated=("",), nulls=("NA",)), rows, tmp_path, max_bad_share=1)
    assert report["unrated"] == sum(",,1" in row for row in rows)
    assert report["dropped"] == {"missing_field": sum(",NA," in row for row in rows) + 2}


def test_words_for_ratings_give_the_scale(tmp_path):
    source = _rated(None, values={"rating": {"up": 1, "down": 0, "meh": 0.5}})
    assert source.scale == (0, 1)
    rows = _events(lambda rng: rng.choice(["up", "down"]))
    report = _generate(source, [*rows, "u1,m1,sideways,5"], tmp_path, kind="random")
    assert report["dropped"] == {"unmapped_value": 1}
    found = _values(tmp_path, "rating")
    assert found.count(1.0) == sum(",up," in row for row in rows)
    assert set(found) == {0.0, 1.0}


@given(
    cells=st.lists(st.sampled_from(["up", "down", "UP", "", "-1", "0", "1"])),
    words=st.dictionaries(st.sampled_from(["up", "down", "0", "1"]), st.floats(0, 9), min_size=1),
    unrated=st.sets(st.sampled_from(["", "-1", "UP"])),
)
def test_a_cell_is_its_words_number_or_nothing_or_bad(cells, words, unrated):
    table = _rated((0, 9), values={"rating": words}, unrated=tuple(unrated)).ratings
    parsed: list[Any] = ratings(pa.array(cells, pa.string()), table).to_pylist()
    for cell, found in zip(cells, parsed, strict=True):
        if cell in unrated:
            assert math.isnan(found)
        elif cell in words:
            assert found == pytest.approx(words[cell])
        else:
            assert found is None


FEW, MARKS = st.integers(0, 2), st.sampled_from([1.0, 2.0, math.nan])
EVENTS = st.lists(st.tuples(FEW, FEW, MARKS, st.integers(0, 3)), max_size=30)


@given(EVENTS)
def test_a_rating_outlives_the_events_without_one(events):
    users, movies, marks, times = zip(*events, strict=True) if events else ([],) * 4
    rows = pa.table(
        {
            "user_id": pa.array([f"u{user}" for user in users], pa.string()),
            "movie_id": pa.array([f"m{movie}" for movie in movies], pa.string()),
            "rating": pa.array(marks, pa.float32()),
            "timestamp": pa.array(times, pa.int64()),
            "given": pa.array([TRAIN] * len(events), pa.int8()),
            "order": pa.array(range(len(events)), pa.int64()),
        }
    )
    kept, repeats = order_rows(rows, 1)
    assert len(kept) + len(repeats.exact) + len(repeats.superseded) == len(events)
    assert all(events[row][2] == events[row][2] for row in repeats.exact)
    found = {(row["user_id"], row["movie_id"]): row for row in kept.to_pylist()}
    assert len(found) == len(kept)
    for user, movie, *_ in events:
        given = [e for e in events if e[:2] == (user, movie)]
        rated = [e for e in given if e[2] == e[2]]
        row = found[f"u{user}", f"m{movie}"]
        assert (row["rating"] == row["rating"]) == bool(rated)
        assert row["timestamp"] == max(e[3] for e in rated or given)


def test_the_schema_follows(tmp_path):
    names = {f.name for f in curated_schema("ratings", _source(), 0.1).feature}
    assert "timestamp" in names and not names & {"rating", "history_rating"}
    for source, strict in ((_rated(unrated=("-1",)), False), (_rated(), True)):
        (rating,) = [
            f for f in curated_schema("ratings", source, 0.1).feature if f.name == "rating"
        ]
        assert rating.float_domain.disallow_nan is strict
        assert (rating.float_domain.min, rating.float_domain.max) == (1, 10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: _rated(None), r"such as \[1, 5\], or leave columns.rating out"),
        (lambda: _source(scale=(1, 5)), "there is a scale but no ratings"),
        (lambda: _source(unrated=("-1",)), "name it as columns.rating"),
        (lambda: _source(values={"rating": {"up": 1}}), "name it as columns.rating"),
        (lambda: _rated((0, 1), values={"rating": {"up": 2, "down": 0}}), r"not on \[0, 1\]"),
        (lambda: _rated(None, values={"rating": {"up": 1}}), "the lowest first"),
        (lambda: _rated(values={"rating": {"a": 1}}, unrated=("a",)), "'a' is a rating in values"),
        (lambda: _rated(values={"mark": {"up": 1}}), "rating"),
        (lambda: _rated(values={"rating": {"up": "inf"}}), "finite"),
    ],
)
def test_what_contradicts_itself_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_source_without_ratings_survives_json():
    for source in (_source(), _rated(None, values={"rating": {"up": 1, "down": 0}})):
        assert Source.model_validate_json(source.model_dump_json()) == source
