"""User features come from the data: the served graph has those that it is given."""

import dataclasses

import pytest
import tensorflow as tf

from components.exported.module import ExportedRecommender
from components.exported.stored import StoredUsers

DECLARED = ("age", "country", "gender")  # the model knows but two of them
FEATURES = {"country": [b"DE", b"FR"], "gender": [b"F", b"M"]}


@pytest.fixture(scope="module")
def functions(make_facts, make_model, make_lookup):
    """Of a model that knows a user feature which no source has today."""
    facts = dataclasses.replace(make_facts(), user_features=FEATURES)
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


def test_a_new_user_feature_counts_when_it_is_told_and_when_it_is_in_an_example(functions, example):
    def rated(**told):
        answer = functions["rate_as"](
            movie_id=tf.constant([["m5"]]), user_id=tf.constant(["u0"]),
            history_movie_id=tf.constant([["m2"]]), history_rating=tf.constant([[4.0]]), **told,
        )  # fmt: skip
        return float(answer["rating"][0, 0])

    def judged(**features):
        asked = example(user_id="u0", movie_id=["m5"], rating=[3.0], history_movie_id=["m2"],
                        history_rating=[4.0], **features)  # fmt: skip
        return float(functions["evaluate"](tf.constant([asked]))["rating"][0])

    told = {name: rated(country=tf.constant([name])) for name in ("", "DE", "FR", "IT")}
    assert told["DE"] != told["FR"]
    assert told["IT"] == told[""]  # what train never met is unknown
    for name in ("DE", "FR"):
        assert judged(country=name) == pytest.approx(told[name], abs=1e-5)
