"""The least that can be fitted, and how trainings are begun and judged in tests."""

import numpy as np
import tensorflow as tf

from components.model.config import TrainingConfig
from components.trainer.fit import Fit
from components.trainer.rounds import Rounds

STEPS = 3
LOSSES = [4.0, 3.0, 2.0, 2.5]


class KillError(Exception):
    """Stands for whatever ends a process."""


class Line(tf.Module):
    """The least that can be fitted: tracing the real model takes far longer than training it."""

    def __init__(self, start=0.0):
        self.slope = tf.Variable([start, 0.5])
        self.offset = tf.Variable(start)
        self.frozen = tf.Variable(start, trainable=False)

    def averaged(self):
        return [self.slope]

    def by_row(self):
        return []

    def compute_loss(self, window, training):
        assert training
        made = self.slope[0] * window.rating + self.slope[1] * window.present + self.offset
        return tf.reduce_mean(tf.square(made - tf.cast(window.movie, tf.float32)))


def fit_of(model, folder, epochs, **training):
    config, checkpoints = TrainingConfig(**training), str(folder / "checkpoints")
    return Fit(model, config, Rounds(epochs, 1, STEPS), checkpoints, averaged=model.averaged())


def weights(model):
    return [variable.numpy() for variable in model.variables]


def assert_same(left, right, **tolerance):
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


def scripted(losses, seen=None):
    """A judge that gives these valid losses in turn and takes down the weights it saw."""
    given = iter(losses)

    def judge(model):
        if seen is not None:
            seen.append(weights(model))
        return {"valid_loss": next(given)}

    return judge
