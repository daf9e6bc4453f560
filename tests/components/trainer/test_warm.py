"""What a training takes over from the blessed model, row by row, and when it takes nothing."""

import dataclasses
from collections.abc import Set

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.exported.module import ExportedRecommender, save
from components.model.weights import read_learned, vocabulary_of, weight_name
from components.trainer.warm import matches, warm_start
from schemas.features import TAKEN


@pytest.fixture(scope="module")
def blessed(make_model, make_lookup, tmp_path_factory):
    """A model and where it is exported."""
    model = make_model(True)
    path = str(tmp_path_factory.mktemp("blessed"))
    save(ExportedRecommender(model, make_lookup(model.facts), 6), path)
    return model, path


def _keep(model, lookup, path):
    """Writes what an export keeps for the next training: no signature is read, so none is made."""
    module = ExportedRecommender(model, lookup, 6)
    module.functions = {}
    tf.saved_model.save(module, path)


def _weights(model):
    return {weight_name(variable): variable.numpy() for variable in model.variables}


CROSSED = {"cross_layers": 2, "rating_cross_layers": 2}


def test_what_is_exported_is_what_was_learned(blessed):
    model, path = blessed
    learned = read_learned(path)
    assert learned.trained_until == 1000 and learned.scale == (0.5, 5.0)
    assert learned.keys == {name: list(keys) for name, keys in model.facts.keys.items()}
    wanted = _weights(model)
    assert learned.weights.keys() == wanted.keys()
    for name, value in learned.weights.items():
        np.testing.assert_array_equal(value, wanted[name])


def test_every_table_follows_a_vocabulary(blessed):
    """A table has a row for each key; what has as many rows by chance is named here."""
    model, _ = blessed
    for variable in model.variables:
        name = weight_name(variable)
        vocabulary = vocabulary_of(name, model.facts.keys)
        if vocabulary is not None:
            extra = variable.shape[0] - len(model.facts.keys[vocabulary])
            assert extra in (0, 1, 2), name
    tables = {name for name in _weights(model) if vocabulary_of(name, model.facts.keys) is None}
    assert {name.split("/")[-1] for name in tables} == {
        "gain", "shift", "log_half_lives", "kernel", "bias", "user_spread", "noise", "log_prior",
    }  # fmt: skip


@pytest.mark.parametrize("towers", ["history", "ids"])
def test_no_feature_can_be_named_like_another_table(make_model, make_facts, towers):
    """A weight's rows are those of the feature that it is named after."""
    crossed = CROSSED if towers == "history" else {}
    names = _weights(make_model(True, make_facts(), towers=towers, **crossed))
    tables = {name.split("/")[1] for name in names if vocabulary_of(name, AnyName())}
    assert tables - TAKEN == ({"gender", "age"} if towers == "history" else set())


class AnyName(Set):
    """All names that there could be."""

    def __contains__(self, name):
        return True

    def __iter__(self):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError


@pytest.mark.parametrize(("before", "now"), [("all", "none"), ("none", "some")])
def test_what_has_nothing_to_do_with_ratings_is_taken_over_where_one_knows_none(
    make_facts, make_model, make_lookup, make_window, tmp_path, before, now
):
    model = make_model(True, make_facts(rated=before))
    _keep(model, make_lookup(model.facts), str(tmp_path))
    assert read_learned(str(tmp_path)).scale == model.facts.scale
    fresh = make_model(True, make_facts(rated=now))
    own = _weights(fresh)
    for variable in fresh.variables:
        variable.assign(tf.zeros_like(variable))
    warm, told = warm_start(fresh, str(tmp_path))
    assert warm, told
    known = _weights(model)
    for name, value in _weights(fresh).items():
        assert name in own
        np.testing.assert_array_equal(value, known.get(name, np.zeros_like(value)), err_msg=name)
    assert np.isfinite(float(fresh.compute_loss(make_window(fresh.facts, [4, 2]))))


def test_the_same_vocabulary_gives_the_same_model(blessed, make_model, make_window):
    model, path = blessed
    fresh = make_model(True)
    for variable in fresh.variables:
        variable.assign(tf.zeros_like(variable))
    warm, told = warm_start(fresh, path)
    assert warm and "10 of 10 movies known and 4 of 4 users known" in told
    for name, value in _weights(fresh).items():
        np.testing.assert_array_equal(value, _weights(model)[name])


def test_rows_follow_their_keys(blessed, make_model, make_facts):
    model, path = blessed
    facts = make_facts(14)
    facts = dataclasses.replace(
        facts,
        user_ids=[b"new", b"u3", b"u1", b"other", b"u0"],
        keys={
            **facts.keys,
            "movie_id": [b"m3", b"x", b"m0", b"m9", *(b"n%d" % i for i in range(8))],
            "user_id": [b"new", b"u3", b"u1", b"other", b"u0"],
            "genres": [b"D", b"A", b"E", b"B"],
        },
    )
    fresh = make_model(True, facts)
    before = _weights(fresh)
    warm, told = warm_start(fresh, path)
    assert warm and "3 of 12 movies known and 3 of 5 users known" in told
    old, new = _weights(model), _weights(fresh)
    for name in ("movies/ids", "popularity/ids", "rating/ids/mean", "rating/ids/log_spread"):
        np.testing.assert_array_equal(new[name][[0, 2, 3]], old[name][[3, 0, 9]])
        np.testing.assert_array_equal(new[name][1], before[name][1])
        np.testing.assert_array_equal(new[name][12:], old[name][10:])  # the unknown
    for name in ("users/ids", "rating/raters/mean"):
        np.testing.assert_array_equal(new[name][[1, 2, 4]], old[name][[3, 1, 0]])
        np.testing.assert_array_equal(new[name][[0, 3]], before[name][[0, 3]])
    np.testing.assert_array_equal(new["users/ids"][5], old["users/ids"][4])
    np.testing.assert_array_equal(new["movies/genres"][[0, 1, 3]], old["movies/genres"][[3, 0, 1]])
    np.testing.assert_array_equal(new["rating/ids/log_prior"], old["rating/ids/log_prior"])


def test_weights_of_another_shape_start_anew(blessed, make_model, caplog):
    model, path = blessed
    fresh = make_model(True, hidden=8)
    before = _weights(fresh)
    with caplog.at_level("INFO", "greenlight.trainer"):
        warm, told = warm_start(fresh, path)
    assert warm and f"{len(before) - 3} of {len(before)} weights" in told
    left = {"history/hidden/kernel", "history/hidden/bias", "history/out/kernel"}
    assert {record.args[0] for record in caplog.records} == left
    for name, value in _weights(fresh).items():
        wanted = before if name in left else _weights(model)
        np.testing.assert_array_equal(value, wanted[name])


def test_features_that_were_declared_since_start_anew_and_others_are_left_out(
    blessed, make_model, make_facts, make_window
):
    model, path = blessed
    facts = make_facts()
    plan = {"plan": [b"kids", b"everything", b"sports"]}
    studio = {"studio": np.arange(12, dtype=np.int32)[:, np.newaxis] % 2}
    keys = {name: own for name, own in facts.keys.items() if name not in {"age", "year"}}
    facts = dataclasses.replace(
        facts,
        user_features={**plan, "gender": facts.user_features["gender"]},  # in another order
        features={**studio, "genres": facts.features["genres"]},
        keys={**keys, **plan, "studio": [b"one", b"other"]},
    )
    fresh = make_model(True, facts)
    before, learned = _weights(fresh), _weights(model)
    warm, told = warm_start(fresh, path)
    assert warm and told.endswith(
        "Of the features, plan, studio started anew, and what it learned of age, year was left out."
    )
    new = {name for name in before if {"plan", "studio"} & {*name.split("/")}}
    assert {"users/plan", "movies/studio", "popularity/studio", "rating/plan/mean"} <= new
    for name, value in _weights(fresh).items():
        wanted = before if name in new else learned
        np.testing.assert_array_equal(value, wanted[name], err_msg=name)
    assert np.isfinite(float(fresh.compute_loss(make_window(facts, [4, 2]))))


def test_crosses_are_taken_over_or_start_anew(blessed, make_model, make_lookup, tmp_path):
    """They are found by name, whatever else the process built; from a plain model none is there."""
    model = make_model(True, **CROSSED)
    _keep(model, make_lookup(model.facts), str(tmp_path))
    fresh = make_model(True, **CROSSED)
    for variable in fresh.variables:
        variable.assign(tf.zeros_like(variable))
    assert warm_start(fresh, str(tmp_path))[0]
    for name, value in _weights(fresh).items():
        np.testing.assert_array_equal(value, _weights(model)[name])
    before, plain = _weights(fresh), _weights(blessed[0])
    assert warm_start(fresh, blessed[1])[0]
    for name, value in _weights(fresh).items():
        np.testing.assert_array_equal(value, plain.get(name, before[name]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trained_until": 999}, "was trained on ratings that are now held out"),
        ({"trained_until": None}, "only where splits are cut by time"),
        ({"scale": (1.0, 5.0)}, "these are of"),
    ],
)
def test_what_could_leak_or_mislead_is_refused(blessed, make_model, make_facts, change, said):
    fresh = make_model(True, dataclasses.replace(make_facts(), **change))
    before = _weights(fresh)
    warm, told = warm_start(fresh, blessed[1])
    assert not warm and said in told
    for name, value in _weights(fresh).items():
        np.testing.assert_array_equal(value, before[name])


def test_without_a_usable_model_the_start_is_cold(make_model, tmp_path):
    plain = tf.Module()
    plain.scale = tf.Variable([1.0, 5.0])
    tf.saved_model.save(plain, str(tmp_path / "plain"))
    plain.keepsake = tf.Module()
    plain.keepsake.names = tf.Variable(["users/ids"])
    tf.saved_model.save(plain, str(tmp_path / "older"))
    for path, said in (
        (None, "no blessed model yet"),
        (str(tmp_path / "none"), "cannot be read"),
        (str(tmp_path / "plain"), "keeps no names of its weights"),
        (str(tmp_path / "older"), "told times by the second"),
    ):
        warm, told = warm_start(make_model(True), path)
        assert not warm and said in told and told.count("\n") == 0


KEYS = st.lists(st.integers(0, 30).map(lambda n: b"%d" % n), unique=True, max_size=20)


@given(KEYS, KEYS, st.integers(0, 3), st.integers(0, 3))
def test_matches_are_equal_keys_and_the_unknown(before, now, extra_before, extra_now):
    to, source = matches(before, now, len(before) + extra_before, len(now) + extra_now)
    pairs = {(int(t), int(s)) for t, s in zip(to, source, strict=True)}
    wanted = {(now.index(key), before.index(key)) for key in set(before) & set(now)}
    if extra_before == extra_now:
        wanted |= {(len(now) + i, len(before) + i) for i in range(extra_now)}
    assert pairs == wanted and len(pairs) == len(to)
