"""Parts of movies and users by numpy."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.layers import MovieEmbedding
from components.model.parts import add_up, feature_means, shown_rows, user_parts


def test_groups_are_added_up_with_the_shape_of_the_first():
    rng = np.random.default_rng(1)
    history, user, gender = rng.normal(size=[3, 5, 2]), *rng.normal(size=[2, 3, 1, 2])
    found = add_up([[tf.constant(history)], [tf.constant(user), tf.constant(gender)]])
    np.testing.assert_allclose(found, history + user + gender, rtol=1e-12)


def test_a_movies_feature_is_the_mean_of_its_values_and_zero_without_any(make_facts):
    facts, rng = make_facts(), np.random.default_rng(2)
    table, index = rng.normal(size=[4, 3]).astype(np.float32), facts.features["genres"]
    found = feature_means(tf.constant(table), index).numpy()
    assert (index[1] < 0).all() and not found[1].any()
    for row, values in enumerate(index):
        if row != 1:
            np.testing.assert_allclose(found[row], table[values[values >= 0]].mean(0), rtol=1e-6)


def test_the_mean_of_many_values_is_the_same_and_so_is_its_gradient():
    rng = np.random.default_rng(6)
    index = np.where(rng.random([30, 12]) < 0.7, rng.integers(0, 50, [30, 12]), -1).astype(np.int32)
    index[4] = -1
    start, weights = rng.normal(size=[50, 3]), tf.constant(rng.normal(size=[30, 3]), tf.float32)
    table = tf.Variable(start, dtype=tf.float32)
    with tf.GradientTape() as tape:
        means = feature_means(table, tf.constant(index))
        worth = tf.reduce_sum(means * weights)
    gradient = tape.gradient(worth, table)
    assert isinstance(gradient, tf.IndexedSlices)  # a step reads and changes some rows alone
    rows = gradient.indices.numpy()
    assert set(rows) == set(index[index >= 0]) and len(rows) == len(set(rows))
    expected = np.zeros([50, 3])
    for row, values in enumerate(index):
        own = values[values >= 0]
        mean = start[own].mean(0) if len(own) else np.zeros(3)
        np.testing.assert_allclose(means[row], mean, rtol=1e-5, atol=1e-6)
        np.add.at(expected, own, weights[row].numpy() / max(len(own), 1))
    np.testing.assert_allclose(tf.convert_to_tensor(gradient), expected, rtol=1e-4, atol=1e-5)
    # Values that are drawn are no variable.
    np.testing.assert_array_equal(feature_means(table.value(), index), means)


def test_a_movies_parts_are_its_ids_row_and_each_features_mean(make_facts):
    facts, rng = make_facts(), np.random.default_rng(3)
    layer = MovieEmbedding(2, facts)
    for table, _ in layer.by_row():
        table.assign(rng.normal(size=table.shape))
    genres, year = layer.feature_tables["genres"], layer.feature_tables["year"].numpy()
    found = layer.parts(facts)
    assert len(found) == 3
    np.testing.assert_array_equal(found[0], layer.ids.numpy()[facts.id_rows])
    np.testing.assert_array_equal(found[1], feature_means(genres, facts.features["genres"]))
    np.testing.assert_array_equal(found[2], year[facts.features["year"][:, 0]])
    some = layer.parts(facts, tf.constant([3, 0, 11]))
    for own, whole in zip(some, found, strict=True):
        np.testing.assert_array_equal(own, whole.numpy()[[3, 0, 11]])


def test_so_many_movies_are_shown_as_unknown(make_facts):
    facts = make_facts(1000)
    known = facts.id_rows != facts.oov_rows
    hidden = shown_rows(facts, 0.3).numpy() != facts.id_rows
    assert hidden[known].mean() == pytest.approx(0.3, abs=0.06)
    np.testing.assert_array_equal(shown_rows(facts, 1.0), facts.oov_rows)
    np.testing.assert_array_equal(shown_rows(facts, 0.0), facts.id_rows)
    some = np.array([5, 999, 0])
    np.testing.assert_array_equal(shown_rows(facts, 1.0, tf.constant(some)), facts.oov_rows[some])


def test_a_users_parts_are_the_rows_of_each_feature():
    rng = np.random.default_rng(4)
    tables, features = rng.normal(size=[2, 3, 2]), rng.integers(0, 3, [5, 2])
    found = user_parts([tf.constant(table) for table in tables], tf.constant(features))
    for place, part in enumerate(found):
        np.testing.assert_array_equal(part, tables[place][features[:, place]])
