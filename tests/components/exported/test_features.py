"""User features come from the data: the served graph has those that it is given."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components.evaluation.reload.signatures import inputs
from components.exported.module import ExportedRecommender
from components.exported.stored import StoredUsers

DECLARED = ("age", "country", "gender", "income", "years")  # the model knows but three of them
FEATURES = {
    "country": [b"DE", b"FR"], "gender": [b"F", b"M"],
    "years": [b"under 20", b"20 to 40.5", b"40.5 and over"],
}  # fmt: skip
NUMBERS = ("income", "years")


@pytest.fixture(scope="module")
def functions(make_facts, make_model, make_lookup):
    """Of a model that knows a user feature which no source has today."""
    facts = dataclasses.replace(make_facts(), user_features=FEATURES, numbers=NUMBERS)
    stored = StoredUsers.none(len(FEATURES))
    return ExportedRecommender(
        make_model(True, facts), make_lookup(facts), 6, stored, DECLARED
    ).functions


@pytest.mark.parametrize("name", ["recommend_filtered", "recommend_group", "rank", "rate_as",
                                  "explain"])  # fmt: skip
def test_a_new_user_feature_is_an_input_of_every_signature_that_takes_features(functions, name):
    specs = {spec.name: spec for spec in functions[name].input_signature}
    assert specs["country"].dtype == tf.string
    assert specs["country"].shape.rank == specs["gender"].shape.rank
    assert set(DECLARED) <= set(specs)
    assert {own for own in DECLARED if specs[own].dtype == tf.float32} == set(NUMBERS)


@pytest.fixture(scope="module")
def rated(functions):
    """What u0, of whom something is told, would rate a movie."""

    def rated(**told):
        answer = functions["rate_as"](
            movie_id=tf.constant([["m5"]]), user_id=tf.constant(["u0"]),
            history_movie_id=tf.constant([["m2"]]), history_rating=tf.constant([[4.0]]), **told,
        )  # fmt: skip
        return float(answer["rating"][0, 0])

    return rated


@pytest.fixture(scope="module")
def judged(functions, example):
    """The same as an Example says it, and all else that is measured of it."""

    def judged(**features):
        asked = example(user_id="u0", movie_id=["m5"], rating=[3.0], history_movie_id=["m2"],
                        history_rating=[4.0], **features)  # fmt: skip
        return {name: own.numpy()[0] for name, own in functions["evaluate"](
            tf.constant([asked])).items()}  # fmt: skip

    return judged


def test_a_new_user_feature_counts_when_it_is_told_and_when_it_is_in_an_example(rated, judged):
    told = {name: rated(country=tf.constant([name])) for name in ("", "DE", "FR", "IT")}
    assert told["DE"] != told["FR"]
    assert told["IT"] == told[""]  # what train never met is unknown
    for name in ("DE", "FR"):
        assert judged(country=name)["rating"] == pytest.approx(told[name], abs=1e-5)


def test_what_the_report_leaves_open_is_unknown(functions):
    specs = {spec.name: spec for spec in functions["recommend_filtered"].input_signature}
    loaded = SimpleNamespace(structured_input_signature=((), specs))
    left = inputs(loaded, k=tf.constant([3]))
    assert np.isnan(left["years"]).all() and np.isnan(left["income"]).all()
    assert left["mix"].numpy().tolist() == [0.0] and left["country"].numpy().tolist() == [b""]


def test_a_number_counts_by_its_bucket(rated, judged):
    told = {years: rated(years=tf.constant([years])) for years in (np.nan, 0.0, 19.9, 20.0, 40.5)}
    assert told[0.0] == told[19.9]
    assert len({told[0.0], told[20.0], told[40.5], told[np.nan]}) == 4
    for years, name in ((0.0, b"under 20"), (40.0, b"20 to 40.5"), (40.5, b"40.5 and over")):
        found = judged(years=[years])
        assert found["rating"] == pytest.approx(rated(years=tf.constant([years])), abs=1e-5)
        assert found["years_bucket"] == name
    unknown = judged()
    assert unknown["rating"] == pytest.approx(told[np.nan], abs=1e-5)
    assert unknown["years_bucket"] == b""
    assert "country_bucket" not in unknown and "income_bucket" not in unknown
    assert rated(income=tf.constant([5.0])) == told[np.nan]
