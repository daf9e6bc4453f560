"""Vocabularies as TensorFlow Transform writes them, read back as the Trainer does."""

from functools import partial
from math import nan

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

from components.example_gen.generate import LOCAL_BEAM_ARGS
from components.examples.catalogue import read_catalogue
from components.trainer.gather import make_lookup, spreads, vocabularies
from components.transform import preprocessing_fn
from schemas.features import Features

ROWS = (
    {"user_id": "u1", "gender": "F", "movie_id": ["m1", "m2"], "genres": ["Drama\x1fWar", "Drama"],
     "minutes": [90.0, 200.0], "years": 30.0, "price": nan},
    {"user_id": "u2", "gender": "M", "movie_id": ["m1"], "genres": ["Drama\x1fWar"],
     "minutes": [90.0], "years": nan, "price": nan},
    {"user_id": "u2", "gender": "M", "movie_id": ["m1"], "genres": [""],
     "minutes": [nan], "years": 40.0, "price": nan},
)  # fmt: skip

FEATURES = Features(
    users=("gender", "years", "price"), movies=("genres", "minutes"), several=("genres",),
    numbers=("years", "price", "minutes"),
)  # fmt: skip


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """The output of Transform's analysis of the rows."""
    lists = tf.io.VarLenFeature(tf.string)
    one = tf.io.FixedLenFeature([], tf.string)
    number = tf.io.FixedLenFeature([], tf.float32)
    spec = {
        "user_id": one, "gender": one, "movie_id": lists, "genres": lists,
        "minutes": tf.io.VarLenFeature(tf.float32), "years": number, "price": number,
    }  # fmt: skip
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    folder = tmp_path_factory.mktemp("transform")
    given = {"features": FEATURES.model_dump(mode="json")}
    function = partial(preprocessing_fn, custom_config=given)
    work = tft_beam.Context(temp_dir=str(folder / "work"))
    with work, beam.Pipeline(argv=list(LOCAL_BEAM_ARGS)) as pipeline:
        rows = (pipeline | beam.Create(ROWS), metadata)
        found = rows | tft_beam.AnalyzeDataset(function)
        _ = found | tft_beam.WriteTransformFn(str(folder / "graph"))
    metadata_io.write_metadata(metadata, str(folder / "graph" / "metadata"))  # as TFX does
    return str(folder / "graph")


def test_vocabularies_hold_every_value_the_most_frequent_first(graph):
    found = vocabularies(graph, FEATURES)
    assert found["movie_id"] == [b"m1", b"m2"]
    assert found["user_id"] == [b"u2", b"u1"]
    assert found["genres"] == [b"Drama", b"War"]
    assert found["gender"] == [b"M", b"F"]
    assert "year" not in found


def test_numbers_have_buckets_of_what_is_known_in_train(graph):
    found = vocabularies(graph, FEATURES)
    assert found["minutes"] == [b"under 90", b"90 to 200", b"200 and over"]
    assert found["years"] == [b"under 30", b"30 to 40", b"40 and over"]
    assert "price" not in found  # no number of it is known


def test_numbers_of_movies_have_mean_and_deviation_of_what_is_known_in_train(graph):
    found = spreads(graph, FEATURES, vocabularies(graph, FEATURES))
    values = [90.0, 90.0, 200.0]
    assert found == {"minutes": pytest.approx((np.mean(values), np.std(values)), rel=1e-5)}
    assert spreads(graph, FEATURES, ["movie_id"]) == {}  # what is ignored has no vocabulary


def test_what_is_ignored_is_nothing_that_the_model_reads(graph, example, write_records, tmp_path):
    found = vocabularies(graph, FEATURES, ["gender", "genres", "years", "minutes"])
    assert set(found) == {"user_id", "movie_id"}
    movies = [example(movie_id="m1", movie_title="One", genres=["Drama", "War"])]
    catalogue = read_catalogue([write_records(tmp_path / "catalogue", movies)])
    assert make_lookup(catalogue, found, FEATURES).user_features == {}
