"""Optimizers by numpy: what a step does to the rows that it reads, and to no other."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.config import TrainingConfig
from components.model.row_table import RowTable
from components.trainer.optimizer import (
    MOMENTS,
    Optimizer,
    RowOptimizer,
    each_row_once,
    learning_rate,
)

ROWS, WIDTH, STEPS, RATE, DECAY = 7, 3, 40, 0.02, 0.1


def _gradients(rng):
    """Which rows each step reads, and their gradients."""
    for _ in range(STEPS):
        rows = np.flatnonzero(rng.random(ROWS) < 0.4)
        yield rows.astype(np.int32), rng.normal(0, 1, [len(rows), WIDTH]).astype(np.float32)


def _roots(kind, past, gradient, number):
    """The moments after a step that has a gradient, 0 for most, for every row; and their root."""
    if kind == "adagrad":
        moment = past + gradient**2
        return moment, np.sqrt(moment)
    moment = 0.999 * past + 0.001 * gradient**2
    return moment, np.sqrt(moment / (1 - 0.999**number))


def _by_hand(kind, start, steps):
    """The optimizer without momentum, every row in every step."""
    weights, moment = start.astype(np.float64), np.full(start.shape, MOMENTS[kind].start)
    waited = np.zeros([ROWS, 1])  # how long decay waits for a step that reads the row
    for number, (rows, slopes) in enumerate(steps, 1):
        gradient = np.zeros(start.shape)
        gradient[rows] = slopes
        moment, root = _roots(kind, moment, gradient, number)
        waited += 1
        weights[rows] *= 1 - RATE * DECAY * waited[rows]
        weights[rows] -= RATE * gradient[rows] / root[rows]
        waited[rows] = 0
    return weights


@pytest.mark.parametrize("kind", MOMENTS)
def test_a_row_is_changed_as_if_all_rows_were_in_every_step(kind):
    rng = np.random.default_rng(1)
    start = rng.normal(0, 1, [ROWS, WIDTH]).astype(np.float32)
    steps = list(_gradients(rng))
    table = tf.Variable(start)
    optimizer = RowOptimizer([RowTable(table)], MOMENTS[kind], lambda step: RATE, DECAY)
    for number, (rows, slopes) in enumerate(steps, 1):
        before = table.numpy()
        optimizer.apply([tf.IndexedSlices(slopes, rows)], tf.constant(number))
        others = np.setdiff1d(np.arange(ROWS), rows)
        np.testing.assert_array_equal(table.numpy()[others], before[others])
    np.testing.assert_allclose(table, _by_hand(kind, start, steps), rtol=1e-3, atol=1e-4)


def test_a_regulariser_pulls_a_row_for_all_steps_since_it_was_read():
    """Half of them before the gradient, half after, with the same moments."""
    table, times = tf.Variable([[2.0], [1.0]]), []

    def pull(values, time):
        times.append(time.numpy().item())
        return values * tf.exp(-time)

    optimizer = RowOptimizer([RowTable(table, pull)], MOMENTS["adagrad"], lambda step: RATE, 0.0)
    for number, row, passed in ((1, 0, 1), (2, 0, 1), (5, 1, 5), (9, 0, 7)):
        before = table.numpy()[row, 0]
        optimizer.apply([tf.IndexedSlices([[0.3]], [row])], tf.constant(number))
        pace = RATE / np.sqrt(optimizer.moments[0].numpy()[row, 0])
        half = passed * pace / 2
        assert times[-2:] == pytest.approx([half, half], rel=1e-5)
        expected = (before * np.exp(-half) - 0.3 * pace) * np.exp(-half)
        assert table.numpy()[row, 0] == pytest.approx(expected, rel=1e-5)


def test_a_row_that_is_named_twice_has_the_sum_of_its_gradients():
    rows = np.array([4, 1, 4, 0], np.int32)
    values = np.arange(8, dtype=np.float32).reshape(4, 2)
    found = each_row_once(tf.IndexedSlices(values, rows))
    given = dict(zip(found.indices.numpy().tolist(), found.values.numpy().tolist(), strict=True))
    assert given == {4: [4.0, 6.0], 1: [2.0, 3.0], 0: [6.0, 7.0]}
    whole = each_row_once(tf.constant(values))
    np.testing.assert_array_equal(whole.indices, np.arange(4))
    np.testing.assert_array_equal(whole.values, values)


@pytest.mark.parametrize("optimizer", ["adamw", "adagrad"])
def test_a_step_changes_what_it_reads(optimizer):
    config = TrainingConfig(optimizer=optimizer, learning_rate=0.1, weight_decay=0.0)
    weight, table = tf.Variable([1.0, 2.0]), tf.Variable(tf.ones([5, 2]))
    found = Optimizer(config, 10, [weight], [RowTable(table)])
    for _ in range(2):  # the first step of a warm-up has a learning rate of 0
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weight * tf.reduce_sum(tf.gather(table, [1, 3, 1]), 0))
        found.apply(found.gradients(tape, loss))
    assert found.step.numpy() == 2
    assert (weight.numpy() < [1.0, 2.0]).all()
    np.testing.assert_array_equal(table.numpy()[[0, 2, 4]], 1.0)
    assert (table.numpy()[[1, 3]] < 1.0).all()


def test_the_gradients_of_weights_and_rows_are_clipped_by_their_common_norm():
    weight, table = tf.Variable([3.0]), tf.Variable(tf.ones([3, 1]))
    found = Optimizer(TrainingConfig(clip_norm=1.0), 10, [weight], [RowTable(table)])
    with tf.GradientTape() as tape:
        loss = 3.0 * weight[0] + 2.0 * tf.reduce_sum(tf.gather(table, [2, 2]))
    dense, rows = found.gradients(tape, loss)
    assert dense[0].numpy() == pytest.approx([3 / 5])
    assert rows[0].values.numpy().ravel() == pytest.approx([4 / 5])
    assert rows[0].indices.numpy().tolist() == [2]


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing():
    rate = learning_rate(0.5, 100)
    values = [float(rate(step)) for step in range(101)]
    assert values[0] == 0 and max(values) == values[5] == 0.5
    assert values[100] == pytest.approx(0, abs=1e-7)
    assert np.all(np.diff(values[5:]) < 0)
