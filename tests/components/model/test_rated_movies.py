"""What the rating head knows of movies, and what a user adds to those they rated."""

import numpy as np
import tensorflow as tf

from components.model.context import before


def test_who_rated_a_movie_shapes_it(make_model):
    model = make_model(True)
    plain = model.rating_head.tables(training=False).movies.numpy()
    mean = model.rating_head.movies.raters.mean
    mean.assign(tf.tensor_scatter_nd_add(mean, [[0]], tf.ones([1, mean.shape[1]])))
    changed = np.abs(model.rating_head.tables(training=False).movies.numpy() - plain)
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
    raters = tf.reshape(table.rows(), [-1, head.heads, 1 + head.dims])
    tables = head.tables(training=False)._replace(raters=raters)
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
        rated = rated - own[row, column] * tables.raters.numpy()[user[row]]
        np.testing.assert_allclose(told[row, column], rated, atol=1e-5)
    shown = users._replace(raters=None)
    plain = head.loss(tables, shown, window.movie, window.rating).numpy()
    np.testing.assert_allclose(losses[own == 0], plain[own == 0], rtol=1e-5)
    assert np.all(np.abs(losses - plain)[own > 0] > 1e-4)
