"""Tables of distributions: draws, and how far they are from the prior."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from components.model.variational import VariationalTable


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    made = VariationalTable(rng.normal(0, 0.2, [40, 3]).astype(np.float32), prior=0.5)
    made.log_spread.assign(np.log(rng.uniform(0.1, 1.0, [40, 3])).astype(np.float32))
    return made


def test_training_sees_draws_and_serving_the_means(table):
    np.testing.assert_array_equal(table.means(), table.mean)
    np.testing.assert_array_equal(table.draw(noise=False).values, table.mean)
    draw = tf.function(lambda: table.draw().values)
    drawn = np.stack([draw() for _ in range(2000)])
    spread = np.exp(table.log_spread.numpy())
    np.testing.assert_allclose(drawn.mean(0), table.mean.numpy(), atol=0.12)
    np.testing.assert_allclose(drawn.std(0) / spread, 1, atol=0.1)


def test_the_divergence_agrees_with_numerical_integration(table):
    mean, spread = table.mean.numpy().astype(float), np.exp(table.log_spread.numpy().astype(float))
    z = np.linspace(-9, 9, 4001)
    x = mean[..., None] + spread[..., None] * z
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    own = -0.5 * z**2 - np.log(spread)[..., None]
    prior = -0.5 * (x / 0.5) ** 2 - np.log(0.5)
    expected = (np.trapz(density * (own - prior), z, axis=-1)).sum(-1)
    assert table.draw().nats.numpy() == pytest.approx(expected, rel=1e-4)


def test_a_table_that_is_its_prior_does_not_diverge():
    table = VariationalTable(np.zeros([5, 2], np.float32), prior=0.7)
    table.log_spread.assign(np.full([5, 2], np.log(0.7), np.float32))
    assert table.draw().nats.numpy() == pytest.approx(np.zeros(5), abs=1e-5)


def test_some_rows_are_drawn_like_all_of_them(table):
    rows = np.array([7, 0, 7, 39])
    some, whole = table.draw(tf.constant(rows), noise=False), table.draw(noise=False)
    np.testing.assert_array_equal(some.values, whole.values.numpy()[rows])
    np.testing.assert_array_equal(some.nats, whole.nats.numpy()[rows])
    draw = tf.function(lambda: table.draw(tf.constant(rows)).values)
    drawn = np.stack([draw() for _ in range(2000)])
    spread = np.exp(table.log_spread.numpy())[rows]
    np.testing.assert_allclose(drawn.std(0) / spread, 1, atol=0.1)


def _descend(table, weight, pace):
    with tf.GradientTape() as tape:
        nats = tf.reduce_sum(table.draw(noise=False).nats)
    weight.assign_sub(pace * tape.gradient(nats, weight))


@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_rows_are_pulled_to_the_prior_as_by_many_small_steps(table, strength):
    pulls = {own.weight.ref(): own.pull for own in table.by_row(strength)}
    time, steps = 0.2, 2000
    for weight in (table.mean, table.log_spread):
        pull = pulls[weight.ref()]
        expected = pull(tf.identity(weight), tf.fill(weight.shape, time)).numpy()
        start = weight.numpy()
        descend = tf.function(partial(_descend, table, weight, strength * time / steps))
        for _ in range(steps):
            descend()
        assert np.abs(weight.numpy() - start).max() > 0.01
        np.testing.assert_allclose(expected, weight, rtol=1e-2, atol=2e-4)
        weight.assign(start)


def test_a_long_pull_ends_at_the_prior(table):
    mean, spread = (
        own.pull(tf.identity(own.weight), tf.fill([40, 3], 1e3)) for own in table.by_row(1.0)
    )
    np.testing.assert_allclose(mean, np.zeros([40, 3]), atol=1e-6)
    np.testing.assert_allclose(spread, np.full([40, 3], np.log(0.5)), rtol=1e-5)


def test_only_the_prior_learns_from_the_divergence_of_some_rows(table):
    weights = (table.mean, table.log_spread, table.log_prior)
    with tf.GradientTape() as tape:
        nats = tf.reduce_sum(table.draw(tf.constant([1, 5]), noise=False).nats)
    mean, spread, prior = tape.gradient(nats, weights)
    assert mean is None and spread is None
    with tf.GradientTape() as tape:
        nats = tf.reduce_sum(tf.gather(table.draw(noise=False).nats, [1, 5]))
    np.testing.assert_allclose(prior, tape.gradient(nats, weights)[2], rtol=1e-5)
