"""The rating head against Bayesian linear regression written out in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.rating import RatingHead, RatingHistory, solve
from components.model.window import before, others


@pytest.fixture(scope="module", params=[True, False], ids=["ordered", "set"])
def model(request, make_model):
    return make_model(request.param)


@pytest.fixture(scope="module")
def window(make_facts, make_window):
    return make_window(make_facts(), [6, 4], seed=3)


def _foreseen(model, window, row, position):
    """Mean and variance of each head's prediction of one rating, by the textbook."""
    head, facts = model.rating_head, model.facts
    table = head.tables(training=False)["rating"].numpy().astype(float)
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
    visible, age = (before if model.ordered else others)(window)
    tables = head.tables(training=False)
    users = head.users(
        tables, RatingHistory(window.movie, window.rating, visible, age), window.user_features
    )
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
    visible, age = before(window)
    tables = model.rating_head.tables(training=False)

    def at(chosen):
        history = RatingHistory(window.movie, window.rating, visible[:, chosen], age[:, chosen])
        return model.rating_head.users(tables, history, window.user_features)

    many, one = at(slice(2, 5)), at(slice(3, 4))
    assert one.precision.shape[2] == 1
    np.testing.assert_allclose(one.precision[:, :, 0], many.precision[:, :, 1], atol=1e-5)
    np.testing.assert_allclose(one.evidence[:, :, 0], many.evidence[:, :, 1], atol=1e-5)


def test_a_user_without_history_is_rated_by_their_kind(model, make_facts, make_window):
    window = make_window(make_facts(), [0])
    table = model.rating_head.tables(training=False)["rating"].numpy()
    target = tf.constant([[0, 5, 11]])
    visible, age = tf.zeros([1, 1, 1]), tf.zeros([1, 1])
    found = model.rate(model.movie_tables(), window, target, visible, age).numpy()[0]
    head, features = model.rating_head, window.user_features.numpy()[0]
    kind = sum(rows.mean.numpy()[features[i]] for i, rows in enumerate(head.profile))
    kind = kind.reshape(head.heads, 1 + head.dims)
    spread = np.exp(head.log_spread.numpy())
    at = table[[0, 5, 11]]
    means = at[..., 0] + spread * kind[:, 0] + (at[..., 1:] * kind[:, 1:]).sum(-1)
    expected = means.mean(1) * np.sqrt(model.facts.variance) + model.facts.mean
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_only_training_takes_raters_out(make_model, make_facts, make_window, monkeypatch):
    model, window = make_model(True), make_window(make_facts(), [6, 4])
    asked = []
    own = RatingHead._targets

    def targets(self, tables, users, target):
        asked.append(users.raters)
        return own(self, tables, users, target)

    monkeypatch.setattr(RatingHead, "_targets", targets)
    model.losses_per_task(window, training=True)
    model.losses_per_task(window, training=False)
    model.rate(model.movie_tables(), window, window.movie, *before(window))
    assert asked[0] is window.user and asked[1:] == [None, None]


def test_what_is_no_number_stays_none():
    matrix = tf.stack([tf.eye(2), tf.fill([2, 2], np.nan), tf.zeros([2, 2]) + 2 * tf.eye(2)])
    found = solve(matrix, tf.ones([3, 2, 1])).numpy()[..., 0]
    np.testing.assert_allclose(found, [[1, 1], [np.nan] * 2, [0.5, 0.5]])
