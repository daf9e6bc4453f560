"""A SavedModel without some of its users knows them no more, and the others as before."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from components.exported.forget import knows, write_without
from components.exported.module import ExportedRecommender, save
from components.model.weights import read_learned
from schemas.manifest import FILE

REACH = 2
GONE = [b"u0", b"somebody-new"]  # one that the model learned of, and a stranger to training
USERS = ["u0", "u1", "u2", "somebody-new", "nobody"]


@pytest.fixture(scope="module")
def model(make_model, make_lookup, stored, tmp_path_factory):
    own = make_model(False)
    folder = tmp_path_factory.mktemp("model") / "whole"
    named = dataclasses.replace(stored, ids=[b"u0", b"u1", b"somebody-new"])
    save(ExportedRecommender(own, make_lookup(own.facts), REACH, named), str(folder))
    (folder / FILE).write_text("of the whole model")
    return folder


@pytest.fixture(scope="module")
def without(model):
    write_without(GONE, model, model.parent / "without")
    return model.parent / "without"


_load = functools.cache(tf.saved_model.load)


def _answers(folder, users, **given):
    loaded = _load(str(folder))
    nothing = {"history_movie_id": [[""]], "history_rating": [[0.0]]}
    asked = {"user_id": users, **nothing, **given}
    constants = {name: tf.constant(value) for name, value in asked.items()}
    lists = loaded.signatures["recommend"](**constants, k=tf.constant(5))
    histories = loaded.signatures["history"](user_id=constants["user_id"])
    return {
        **{f"list {name}": value.numpy() for name, value in lists.items()},
        **{f"history {name}": value.numpy() for name, value in histories.items()},
    }


def _written(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_no_byte_names_them(model, without):
    assert knows(model, GONE) and not knows(without, GONE) and knows(without, [b"u1"])
    assert b"somebody" in _written(model) and b"somebody" not in _written(without)


def test_they_are_answered_as_strangers(without):
    answers = _answers(without, USERS)
    for name, value in answers.items():
        for user in (0, 3):
            np.testing.assert_array_equal(value[user], value[4], err_msg=name)
    assert not answers["history known"][[0, 3, 4]].any()


def test_the_others_are_answered_as_before(model, without):
    before, after = _answers(model, ["u1", "u2"]), _answers(without, ["u1", "u2"])
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)


def test_histories_that_lie_behind_theirs_move_with_their_users(model, without):
    """The stranger stands behind u0, whose three events go first."""
    folder = model.parent / "one"
    write_without([b"u0"], model, folder)
    before, after = (_answers(path, ["somebody-new"]) for path in (model, folder))
    assert (after["history movie_id"] != b"").sum() == 2
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)
    write_without(
        [b"somebody-new"], folder, model.parent / "both"
    )  # one after the other, or at once
    assert _written(model.parent / "both") == _written(without)


def test_what_was_learned_of_them_alone_is_blank(model, without):
    before, after = read_learned(str(model)), read_learned(str(without))
    row = before.keys["user_id"].index(b"u0")
    assert after.keys["user_id"][row] == b""
    of_users = [name for name in before.weights if name.startswith("users/ids")]
    assert of_users
    for name in of_users:
        assert before.weights[name][row].any() and not after.weights[name][row].any()
        others = np.delete(before.weights[name], row, 0)
        np.testing.assert_array_equal(np.delete(after.weights[name], row, 0), others)


def test_the_same_in_gives_the_same_bytes_and_no_manifest(model, without):
    write_without(GONE, model, model.parent / "again")
    assert not (without / FILE).exists()
    assert _written(without) == _written(model.parent / "again")


def test_a_model_inside_another_is_found(model):
    """As an index holds the exact model."""
    loaded = tf.saved_model.load(str(model))
    outer = tf.Module()
    outer.exact, outer.functions = loaded, dict(loaded.functions)
    outer_path, path = model.parent / "outer", model.parent / "outer without"
    tf.saved_model.save(outer, str(outer_path), outer.functions)
    write_without(GONE, outer_path, path)
    assert knows(outer_path, GONE) and not knows(path, GONE)
    assert b"somebody" in _written(outer_path) and b"somebody" not in _written(path)
    assert not _answers(path, USERS)["history known"][[0, 3, 4]].any()
