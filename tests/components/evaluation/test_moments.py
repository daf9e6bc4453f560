"""What a reloaded model is asked about people."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from components.evaluation.reload.moments import NO_WISHES, people, user_features
from components.evaluation.reload.signatures import RECOMMEND_FILTERED
from schemas.features import HAVING

PERSON = {
    "user_id": tf.TensorSpec([None], tf.string),
    "history_movie_id": tf.TensorSpec([None, None], tf.string),
    "history_rating": tf.TensorSpec([None, None], tf.float32),
    "exclude_movie_id": tf.TensorSpec([None, None], tf.string),
    "k": tf.TensorSpec([None], tf.int32),
    "age": tf.TensorSpec([None], tf.string),
}


@pytest.mark.parametrize("lacking", [[], [HAVING], [HAVING, "mix", "retrieve"]])
def test_a_model_is_asked_for_no_wish_that_it_does_not_take(example, lacking):
    wishes = {name: tf.TensorSpec(None, kind) for name, (_, kind) in NO_WISHES.items()}
    taken = PERSON | {name: own for name, own in wishes.items() if name not in lacking}
    signatures = {RECOMMEND_FILTERED: SimpleNamespace(structured_input_signature=((), taken))}
    one = example(user_id="u", movie_id=["m1"], rating=[3.5], history_movie_id=["m2"],
                  history_rating=[4.0])  # fmt: skip
    _, user, asked = people(signatures, [one])
    assert user.keys() | asked.keys() == taken.keys() - {"k"}
    assert user_features(signatures) == {"age": tf.string}
