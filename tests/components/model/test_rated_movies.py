"""What the rating head knows of movies, and what a user adds to those they rated."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.context import before


def test_who_rated_a_movie_shapes_it(make_model):
    model = make_model(True)
    plain = model.rating_head.tables().movies.numpy()
    mean = model.rating_head.movies.raters.mean
    mean.assign(tf.tensor_scatter_nd_add(mean, [[0]], tf.ones([1, mean.shape[1]])))
    changed = np.abs(model.rating_head.tables().movies.numpy() - plain)
    raters = model.facts.raters
    own = np.zeros(len(plain), bool)
    own[raters.movie[raters.user == 0]] = True
    assert own.any() and not own.all()
    np.testing.assert_allclose(changed[own], 0.5**0.5, rtol=1e-4)
    assert not changed[~own].any()


def test_in_training_no_target_shows_that_its_user_rated_it(make_model, make_window):
    """The loss is that of a model whose raters lack the pair that is being predicted."""
    model = make_model(True)
    head, facts, table = model.rating_head, model.facts, model.rating_head.movies.raters
    table.mean.assign(tf.random.stateless_normal(table.mean.shape, [1, 2]))
    window = make_window(facts, [6, 4], seed=3)
    user, movie = window.user.numpy(), window.movie.numpy()
    every = tf.range(len(facts.movie_ids))
    tables = head.drawn(every, training=False)
    users = head.posteriors(tables, before(window), raters=window.user)
    told = head.movies.without_rater(tables, window.movie, window.user).numpy()
    losses = head.loss(tables, users, window.movie, window.rating).numpy()
    raters = facts.raters
    weights = np.zeros([len(facts.movie_ids), len(facts.user_ids) + 1])
    weights[raters.movie, raters.user] = raters.weight
    own = weights[movie, user[:, np.newaxis]]
    assert (own > 0).any() and (own == 0).any()
    for row, column in np.ndindex(*movie.shape):
        rated = tables.movies.numpy()[movie[row, column]]
        if own[row, column]:
            rated = rated - own[row, column] * table.mean.numpy()[user[row]].reshape(rated.shape)
        np.testing.assert_allclose(told[row, column], rated, atol=1e-5)
    shown = users._replace(raters=None)
    plain = head.loss(tables, shown, window.movie, window.rating).numpy()
    np.testing.assert_allclose(losses[own == 0], plain[own == 0], rtol=1e-5)
    assert np.all(np.abs(losses - plain)[own > 0] > 1e-4)


def test_a_step_knows_of_its_movies_what_serving_knows_of_all(make_model):
    model = make_model(True)
    head, some = model.rating_head, np.array([0, 3, 4, 11])
    for weight, _ in head.by_row(1.0):
        weight.assign_add(np.random.default_rng(5).normal(0, 0.2, weight.shape))
    whole = head.tables().movies.numpy()
    found = head.drawn(tf.constant(some), training=False).movies.numpy()
    np.testing.assert_allclose(found, whole[some], rtol=1e-5, atol=1e-6)
    drawn = head.drawn(tf.constant(some)).movies.numpy()
    assert np.abs(drawn - found).max() > 0.01


def test_over_an_epoch_each_rows_divergence_counts_once(make_model, make_facts):
    """Every rating of train carries its share of what its movie shows, ids shown as unknown too."""
    facts = make_facts()
    head = make_model(True, facts, id_dropout=0.3).rating_head
    movies, rng = tf.range(len(facts.movie_ids)), np.random.default_rng(6)
    for weight, _ in head.by_row(1.0):
        weight.assign_add(rng.normal(0, 0.2, weight.shape))
    tables = (head.movies.ids, head.movies.raters, *head.movies.features.values())
    shown = [table.draw(noise=False).nats.numpy() for table in tables]
    counts = facts.rated_counts
    # Rows of values that no rated movie has are shown by no rating.
    for name, nats in zip(head.movies.features, shown[2:], strict=True):
        met = np.unique(facts.features[name][counts > 0])
        nats[np.setdiff1d(np.arange(len(nats)), met)] = 0
    total = sum(nats.sum() for nats in shown)
    epoch = tf.function(lambda: tf.reduce_sum(counts * tf.cast(head.drawn(movies).nats, "float64")))
    assert np.mean([epoch() for _ in range(2000)]) == pytest.approx(total, rel=0.02)


def test_movies_shown_as_the_same_unknown_one_are_one_draw(make_model, make_facts):
    facts = make_facts(features=False)
    head = make_model(True, facts, id_dropout=1 - 1e-7).rating_head
    raters = head.movies.raters
    raters.mean.assign(tf.zeros(raters.mean.shape))
    raters.log_spread.assign(tf.fill(raters.log_spread.shape, -30.0))
    drawn = head.drawn(tf.range(len(facts.movie_ids))).movies.numpy()
    first, second = (drawn[facts.oov_rows == row] for row in np.unique(facts.oov_rows))
    np.testing.assert_allclose(first, np.broadcast_to(first[:1], first.shape), atol=1e-6)
    np.testing.assert_allclose(second, np.broadcast_to(second[:1], second.shape), atol=1e-6)
    assert np.abs(first[0] - second[0]).max() > 0.01
