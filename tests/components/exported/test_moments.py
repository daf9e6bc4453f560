"""What is known of a moment counts when it is told; what is not known by then never does."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.exported.module import ExportedRecommender
from components.exported.stored import StoredUsers

ASKED = {"device": [b"phone", b"tv"], "hour": [b"under 6", b"6 to 18", b"18 and over"]}
TAKING = {"recommend_filtered", "recommend_group", "rank", "rate_as", "explain"}


@pytest.fixture(scope="module", params=[True, False], ids=["ordered", "a set"])
def functions(make_facts, make_model, make_lookup, request):
    facts = dataclasses.replace(make_facts(), asked=ASKED, numbers=("hour",))
    model = make_model(request.param, facts)
    return ExportedRecommender(
        model, make_lookup(facts), 6, StoredUsers.none(2), ["gender", "age"]
    ).functions


def test_it_is_an_input_of_every_signature_that_takes_features(functions):
    taken = {name: {spec.name: spec for spec in own.input_signature}
             for name, own in functions.items()}  # fmt: skip
    assert {name for name, own in taken.items() if "device" in own} == TAKING
    assert {name for name, own in taken.items() if "hour" in own} == TAKING
    assert taken["rate_as"]["device"].dtype == tf.string
    assert taken["rate_as"]["hour"].dtype == tf.float32


def _asked(functions, **told):
    person = {
        "user_id": tf.constant(["u0"]), "history_movie_id": tf.constant([["m2", "m7"]]),
        "history_rating": tf.constant([[4.0, 2.0]]),
    }  # fmt: skip
    told = {name: tf.constant([value]) for name, value in told.items()}
    rated = functions["rate_as"](movie_id=tf.constant([["m5"]]), **person, **told)
    every = tf.constant([[f"m{row}" for row in range(12)]])
    ranked = functions["rank"](movie_id=every, mix=tf.constant([0.0]), **person, **told)
    scores = dict(zip(ranked["movie_id"].numpy()[0], ranked["score"].numpy()[0], strict=True))
    return float(rated["rating"][0, 0]), np.array([scores[b"m%d" % row] for row in range(12)])


def test_what_is_told_changes_ratings_and_lists(functions):
    nothing, phone, tv = (_asked(functions, device=word) for word in ("", "phone", "tv"))
    night, day = (_asked(functions, hour=hour) for hour in (5.5, 6.0))
    for one, other in ((nothing, phone), (phone, tv), (night, day)):
        assert one[0] != other[0]
        assert np.abs(one[1] - other[1]).max() > 1e-3
    unknown = _asked(functions, device="watch", hour=np.nan)
    assert unknown[0] == nothing[0]
    np.testing.assert_array_equal(unknown[1], nothing[1])


def test_an_example_says_the_same_of_its_moment(functions, example):
    def evaluated(**features):
        asked = example(user_id="u0", movie_id=["m5"], rating=[3.0], history_movie_id=["m2", "m7"],
                        history_rating=[4.0, 2.0], **features)  # fmt: skip
        found = functions["evaluate"](tf.constant([asked]))
        return {name: own.numpy()[0] for name, own in found.items()}

    for told in ({}, {"device": "tv"}, {"device": "phone", "hour": 20.0}):
        found = evaluated(**{name: [value] for name, value in told.items()})
        rating, scores = _asked(functions, **told)
        assert found["rating"] == pytest.approx(rating, abs=1e-5)
        others = np.delete(scores, [2, 5, 7])
        assert found["rank"] == 1 + (others > scores[5]).sum()
        assert found["hour_bucket"] == (b"18 and over" if "hour" in told else b"")


def test_each_of_a_group_may_tell_of_the_moment(functions):
    nobody = {"user_id": tf.constant([["u0", "u1"]]),
              "history_movie_id": tf.constant([[["m2"], ["m3"]]]),
              "history_rating": tf.constant([[[4.0], [3.0]]]),
              "weights": tf.constant([[1.0, 1.0]])}  # fmt: skip
    lists = [
        functions["recommend_group"](**nobody, k=tf.constant([12]), device=tf.constant([own]))
        for own in (["", ""], ["tv", ""], ["tv", "phone"])
    ]
    scores = [one["score"].numpy() for one in lists]
    assert not np.allclose(scores[0], scores[1]) and not np.allclose(scores[1], scores[2])


def test_a_step_learns_of_moments_and_of_being_told_nothing(make_facts, make_model, make_window):
    facts = dataclasses.replace(make_facts(), asked=ASKED, numbers=("hour",))
    for ordered in (True, False):
        model = make_model(ordered, facts)
        window = make_window(facts, [9, 7, 4], 1)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(window, training=True)
        tables = [*model.asked.tables] if ordered else []
        tables += [table.mean for table in model.rating_head.moments]
        assert tables
        for gradient in tape.gradient(loss, tables):
            dense = tf.convert_to_tensor(gradient).numpy()
            assert np.abs(dense[-1]).max() > 0 and np.abs(dense[:-1]).max() > 0
