"""The rating head against Bayesian linear regression written out in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from components.model import randomness
from components.model.context import Context, before
from components.model.posteriors import solve


@pytest.fixture(scope="module", params=[True, False], ids=["ordered", "set"])
def model(request, make_model):
    return make_model(request.param)


@pytest.fixture(scope="module")
def window(make_facts, make_window):
    return make_window(make_facts(), [6, 4], seed=3)


def _foreseen(model, window, row, position):
    """Mean and variance of each head's prediction of one rating, by the textbook."""
    head, facts = model.rating_head, model.facts
    table = head.tables().movies.numpy().astype(float)
    spread, noise = np.exp(head.log_spread.numpy()), np.exp(head.log_noise.numpy())
    deviation = np.sqrt(facts.variance)
    movie, rating = window.movie.numpy()[row], window.rating.numpy()[row]
    events = [j for j in range(len(movie)) if window.present.numpy()[row, j]]
    events = [j for j in events if (j < position if model.ordered else j != position)]
    found = []
    for h in range(head.heads):

        def basis(j, h=h):
            return np.array([spread[h], *table[movie[j], h, 1:]])

        weights = np.ones(len(events))
        if model.ordered:
            life = np.exp(head.log_half_lives.numpy()[h])
            weights = 0.5 ** ((position - 1 - np.array(events)) / life)
        design = np.array([basis(j) for j in events]).reshape(len(events), 1 + head.dims)
        wanted = np.array(
            [(rating[j] - facts.mean) / deviation - table[movie[j], h, 0] for j in events]
        )
        kind = sum(
            rows.mean.numpy()[window.user_features.numpy()[row, i]].reshape(head.heads, -1)[h]
            for i, rows in enumerate(head.profile)
        )
        wanted = wanted - design @ kind
        # Prior N(0, 1) around their kind for the user; an event's noise grows as its weight falls.
        precision = np.eye(1 + head.dims) + (design.T * weights) @ design / noise[h]
        covariance = np.linalg.inv(precision)
        user = covariance @ (design.T * weights) @ wanted / noise[h]
        at = basis(position)
        found.append(
            (table[movie[position], h, 0] + at @ (kind + user), noise[h] + at @ covariance @ at)
        )
    return np.array(found)


def test_predictions_and_losses_are_those_of_the_posterior(model, window):
    head, facts = model.rating_head, model.facts
    tables = head.tables()
    users = head.posteriors(tables, model.moments(window))
    ratings = head.predict(tables, users, window.movie).numpy()
    losses = head.loss(tables, users, window.movie, window.rating).numpy()
    deviation = np.sqrt(facts.variance)
    for row, length in ((0, 6), (1, 4)):
        for position in range(length):
            mean, variance = _foreseen(model, window, row, position).T
            expected = facts.mean + deviation * mean.mean()
            assert ratings[row, position] == pytest.approx(expected, abs=1e-3)
            wanted = (window.rating.numpy()[row, position] - facts.mean) / deviation
            nats = 0.5 * ((wanted - mean) ** 2 / variance + np.log(variance))
            assert losses[row, position] == pytest.approx(nats.mean(), abs=1e-3)


def test_one_position_is_solved_like_many(model, window):
    tables, (_, visible, age) = model.movie_tables(), before(window)

    def rated_at(chosen):
        context = Context(window, visible[:, chosen], age[:, chosen])
        return model.rate(tables, context, window.movie[:, chosen]).numpy()

    many = rated_at(slice(2, 5))
    assert np.ptp(many, axis=1).min() > 0.01
    for place in range(3):
        one = rated_at(slice(2 + place, 3 + place))
        np.testing.assert_allclose(one[:, 0], many[:, place], atol=1e-5)


def test_a_user_without_history_is_rated_by_their_kind(model, make_facts, make_window):
    window = make_window(make_facts(), [0])
    table = model.rating_head.tables().movies.numpy()
    target = tf.constant([[0, 5, 11]])
    context = Context(window, tf.zeros([1, 1, 1]), tf.zeros([1, 1]))
    found = model.rate(model.movie_tables(), context, target).numpy()[0]
    head, features = model.rating_head, window.user_features.numpy()[0]
    kind = sum(rows.mean.numpy()[features[i]] for i, rows in enumerate(head.profile))
    kind = kind.reshape(head.heads, 1 + head.dims)
    spread = np.exp(head.log_spread.numpy())
    at = table[[0, 5, 11]]
    means = at[..., 0] + spread * kind[:, 0] + (at[..., 1:] * kind[:, 1:]).sum(-1)
    expected = means.mean(1) * np.sqrt(model.facts.variance) + model.facts.mean
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_only_training_takes_raters_out(make_model, make_facts, make_window):
    """Who a user is, is read in training alone: there the targets are without their own rater."""
    model, window = make_model(True), make_window(make_facts(), [6, 4])
    raters = model.rating_head.movies.raters.mean
    raters.assign(3.0 * tf.ones_like(raters))
    stranger = tf.fill([2], len(model.facts.user_ids))
    told = [window._replace(user=user) for user in (tf.constant([0, 1]), stranger)]

    def losses(training):
        for own in told:
            randomness.seed(3)  # the same draws for both
            yield float(model.losses_per_task(own, training)["rating"])

    rater, unknown = losses(training=True)
    assert abs(rater - unknown) > 1e-3
    rater, unknown = losses(training=False)
    assert rater == unknown
    tables = model.movie_tables()
    ratings = [model.rate(tables, before(own), window.movie) for own in told]
    np.testing.assert_array_equal(*ratings)


def test_what_is_no_number_stays_none():
    matrix = tf.stack([tf.eye(2), tf.fill([2, 2], np.nan), tf.zeros([2, 2]) + 2 * tf.eye(2)])
    found = solve(matrix, tf.ones([3, 2, 1])).numpy()[..., 0]
    np.testing.assert_allclose(found, [[1.0, 1.0], [np.nan] * 2, [0.5, 0.5]])
