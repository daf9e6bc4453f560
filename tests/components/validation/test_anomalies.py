"""What is wrong with the data is told by split, feature and reason; drift is told apart."""

import math

import pandas as pd
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from apache_beam.options.pipeline_options import PipelineOptions

from components.example_gen.generate import LOCAL_BEAM_ARGS
from components.validation.anomalies import Finding, find
from components.validation.curated import curated_schema
from schemas.source import Source

SOURCE = Source(
    name="test",
    scale=(1, 5),
    ratings={
        "files": "ratings.csv",
        "columns": {"user_id": "u", "movie_id": "m", "rating": "r", "timestamp": "t"},
    },
    movies={"files": "movies.csv", "columns": {"movie_id": "m", "movie_title": "t"}},
)


@pytest.fixture(scope="module")
def schema():
    return curated_schema("ratings", SOURCE, drift_bound=0.1)


def _statistics(ratings=(1.0, 2.0, 3.0, 5.0) * 5, **changed):
    rows = len(ratings)
    columns = {
        "user_id": [f"u{i % 4}" for i in range(rows)],
        "movie_id": [f"m{i}" for i in range(rows)],
        "movie_title": [f"Film {i}" for i in range(rows)],
        "rating": pd.Series(ratings, dtype="float32"),
        "timestamp": list(range(rows)),
        "history_movie_id": ["m1"] * rows,
        "history_rating": pd.Series([3.0] * rows, dtype="float32"),
        "history_timestamp": [1] * rows,
    }
    kept = {name: values for name, values in (columns | changed).items() if values is not None}
    frame = pd.DataFrame(kept)
    # Only the curated schema says what an Example holds; the statistics are the data's own.
    return tfdv.generate_statistics_from_dataframe(frame)


def _found(schema, statistics, previous=None, split="train"):
    return find(split, statistics, schema, previous)[1]


def test_good_data_has_no_findings(schema):
    anomalies, findings = find("train", _statistics(), schema, None)
    assert findings == [] and not anomalies.anomaly_info


@pytest.mark.parametrize("rating", [0.5, 5.5])
def test_a_rating_off_the_scale(schema, rating):
    (finding,) = _found(schema, _statistics((1.0, 2.0, rating)), split="eval")
    assert not finding.drift
    assert finding.sentence.startswith("eval: feature rating: ")
    assert f"{rating:g}" in finding.sentence


def test_a_rating_that_is_no_number(schema):
    findings = _found(schema, _statistics((1.0, 2.0, math.nan)))
    assert findings and all("feature rating" in finding.sentence for finding in findings)


def test_a_missing_feature_is_named(schema):
    (finding,) = _found(schema, _statistics(movie_title=None), split="valid")
    assert finding.sentence.startswith("valid: feature movie_title: ")
    assert not finding.drift


def test_a_missing_history_is_no_fault(schema):
    assert _found(schema, _statistics(history_movie_id=None, history_rating=None)) == []


def test_an_unexpected_feature_and_a_wrong_type_are_named(schema):
    found = _found(schema, _statistics(surprise=[1] * 20, user_id=list(range(20))))
    assert [finding.sentence.split(": ")[1] for finding in found] == [
        "feature surprise", "feature user_id",
    ]  # fmt: skip


def test_each_reason_is_a_sentence_of_its_own(schema):
    found = _found(schema, _statistics((0.0, 9.0), movie_id=None))
    assert len(found) >= 3
    assert all(isinstance(finding, Finding) and "\n" not in finding.sentence for finding in found)
    assert sum("feature rating" in finding.sentence for finding in found) == 2


def test_drift_is_told_apart(schema):
    before = _statistics((1.0, 2.0) * 20)
    assert _found(schema, before, before) == []
    (finding,) = _found(schema, _statistics((4.0, 5.0) * 20), before)
    assert finding.drift
    assert finding.sentence.startswith("train: feature rating: ")
    mixed = _found(schema, _statistics((4.0, 9.0) * 20), before)
    assert [finding.drift for finding in mixed].count(True) == 1
    assert [finding.drift for finding in mixed].count(False) == 1


def test_without_a_last_run_there_is_no_drift(schema):
    assert _found(schema, _statistics((4.0, 5.0) * 20), None) == []


@pytest.fixture(scope="module")
def seen():
    """The schema of a source in which movies may be seen and not rated."""
    ratings = SOURCE.ratings.model_copy(update={"unrated": ("-1",)})
    return curated_schema("ratings", SOURCE.model_copy(update={"ratings": ratings}), 0.1)


def _of_examples(folder, ratings):
    """Statistics of Examples: of a data frame NaN would be a missing value."""
    path = str(folder / f"{len(list(folder.iterdir()))}.tfrecord")
    words = {
        name: tf.train.BytesList(value=[b"1"]) for name in ("user_id", "movie_id", "movie_title")
    }
    features = {name: tf.train.Feature(bytes_list=value) for name, value in words.items()}
    features["timestamp"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[1]))
    with tf.io.TFRecordWriter(path) as file:
        for rating in ratings:
            features["rating"] = tf.train.Feature(float_list=tf.train.FloatList(value=[rating]))
            example = tf.train.Example(features=tf.train.Features(feature=features))
            file.write(example.SerializeToString())
    options = PipelineOptions(list(LOCAL_BEAM_ARGS))
    return tfdv.generate_statistics_from_tfrecord(path, pipeline_options=options)


def test_a_movie_that_was_not_rated_is_neither_fault_nor_drift(seen, schema, tmp_path):
    some = _of_examples(tmp_path, (1.0, math.nan, 5.0) * 9)
    most = _of_examples(tmp_path, (1.0, 5.0, *[math.nan] * 9) * 9)
    none = _of_examples(tmp_path, [math.nan] * 9)
    for statistics in (some, most, none):
        assert _found(seen, statistics) == _found(seen, statistics, some) == []
        assert _found(schema, statistics) != []


def test_what_was_rated_still_drifts_and_keeps_to_the_scale(seen, tmp_path):
    low, high = (_of_examples(tmp_path, (r, math.nan) * 9) for r in (1.0, 5.0))
    assert [finding.drift for finding in _found(seen, high, low)] == [True]
    (finding,) = _found(seen, _of_examples(tmp_path, (9.0, math.nan) * 9))
    assert not finding.drift and "9" in finding.sentence


def test_an_empty_split_is_neither_a_fault_nor_drift(schema):
    empty = tfdv.generate_statistics_from_dataframe(pd.DataFrame({"rating": []}))
    nothing = type(empty)()
    for statistics in (empty, nothing):
        assert _found(schema, statistics, _statistics()) == []
        assert _found(schema, _statistics(), statistics) == []
