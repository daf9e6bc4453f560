"""Averages by numpy, of weights that change in every step and of rows that change now and then."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.averages import Averages
from components.trainer.optimizer import Gradients

ROWS = 6


def _normal(rng, shape):
    return rng.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("epoch", [1, 5, 100], ids=lambda steps: f"an epoch of {steps}")
def test_an_average_counts_every_step_also_those_that_left_a_row_as_it_was(epoch):
    rng = np.random.default_rng(3)
    weight, table = tf.Variable([1.0, -1.0]), tf.Variable(_normal(rng, [ROWS, 2]))
    unused = tf.Variable(tf.ones([2, 2]))
    averages = Averages([weight, table], [unused, table], epoch)
    expected = [weight.numpy().astype(float), table.numpy()]
    step = tf.Variable(0)
    for number in range(1, 13):
        rows = np.flatnonzero(rng.random(ROWS) < 0.3)
        slices = tf.IndexedSlices(tf.zeros([len(rows), 2]), tf.constant(rows, tf.int32))
        averages.count(Gradients([], [slices, slices]), step.read_value())
        weight.assign_add(_normal(rng, [2]))
        table.scatter_add(tf.IndexedSlices(_normal(rng, [len(rows), 2]), rows))
        step.assign_add(1)
        own = (weight.numpy(), table.numpy())
        expected = [
            average + (value - average) / min(number, epoch)
            for average, value in zip(expected, own, strict=True)
        ]
        if number in (4, 7, 12):
            with averages.in_place(step):
                np.testing.assert_allclose(weight, expected[0], rtol=1e-4, atol=1e-5)
                np.testing.assert_allclose(table, expected[1], rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(weight, own[0])
            np.testing.assert_array_equal(table, own[1])
