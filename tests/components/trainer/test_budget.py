"""Trainings that end within an epoch: by a share of an epoch, or by their time."""

import json
import time
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import tensorflow as tf

from components.model.config import TrainingConfig
from components.trainer import pace
from components.trainer.fit import Fit
from components.trainer.learn import rounds_of
from components.trainer.optimizer import learning_rate
from components.trainer.rounds import Rounds
from tests.components.trainer.lines import KillError, Line, weights
from tests.components.trainer.test_job import made
from tests.components.trainer.test_pace import Clock

STEPS = 40
STEP = 0.5  # seconds, on a clock of the test's own
PLANNED = int(60 * (1 - pace.RESERVE) / STEP)


@pytest.fixture(scope="module")
def epoch(make_facts, make_window):
    """The windows of an epoch; what takes them is told, and the clock goes on with each."""
    window = make_window(make_facts(), [5, 3])

    def windows(number, clock=None, kill_after=STEPS):
        for step in range(STEPS):
            if step == kill_after:
                raise KillError
            if clock is not None:
                clock.now += STEP
            yield window

    return windows


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    return made


def _fit(folder, rounds, model=None):
    return Fit(model or Line(), TrainingConfig(), rounds, str(folder / "checkpoints"))


def _run(fit, windows, folder, losses):
    given = iter(losses)
    return fit.run(windows, lambda model: {"valid_loss": next(given)}, str(folder))


def test_a_share_of_an_epoch_is_read_and_its_rate_ends_with_it(epoch, tmp_path):
    fit = _fit(tmp_path, Rounds(2, 1, STEPS, last=50))
    history = _run(fit, epoch, tmp_path, [2.0, 1.0])
    assert int(fit.optimizer.step) == 50
    assert history.read == pytest.approx(1.25) and len(history.epochs) == 2
    assert float(fit.optimizer.dense.learning_rate) < 0.01 * TrainingConfig().learning_rate


def test_a_training_of_a_minute_ends_with_it(epoch, clock, tmp_path):
    fit = _fit(tmp_path, Rounds(8, 1, STEPS, seconds=60.0))
    history = _run(fit, lambda number: epoch(number, clock), tmp_path, [3.0, 2.0, 1.0])
    assert int(fit.optimizer.step) == PLANNED and history.seconds <= 60
    assert history.read == pytest.approx(PLANNED / STEPS)
    assert history.improving and len(history.epochs) == 3
    assert float(fit.optimizer.dense.learning_rate) < 0.01 * TrainingConfig().learning_rate


def test_the_rate_of_a_plan_that_changes_is_that_of_one_that_does_not():
    steps = tf.Variable(7, dtype=tf.int32)
    changing = learning_rate(0.01, steps)
    for planned in (1, 30, 800):
        steps.assign(planned)
        fixed = learning_rate(0.01, planned)
        for step in (0, 1, planned // 20, planned // 2, planned, planned + 5):
            assert float(changing(step)) == pytest.approx(float(fixed(step)), abs=1e-9)


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_one_goes_on_with_the_time_that_is_left(epoch, clock, tmp_path, number):
    """And ends as one that nobody killed: with the same steps by the same learning rates."""
    rounds, losses = Rounds(8, 1, STEPS, seconds=60.0), [3.0, 2.0, 1.0]
    undisturbed = _fit(tmp_path / "undisturbed", rounds)
    expected = _run(undisturbed, lambda number: epoch(number, clock), tmp_path, losses)

    def fatal(at):
        return epoch(at, clock, 3 if at == number else STEPS)

    with pytest.raises(KillError):
        _run(_fit(tmp_path, rounds), fatal, tmp_path, losses)
    clock.now += 10_000
    fit = _fit(tmp_path, rounds, Line(7.0))
    history = _run(fit, lambda number: epoch(number, clock), tmp_path, losses[number:])
    assert int(fit.optimizer.step) == PLANNED and history.seconds <= 60
    assert [row["loss"] for row in history.epochs] == [row["loss"] for row in expected.epochs]
    for one, other in zip(weights(fit.model), weights(undisturbed.model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_that_is_done_is_not_done_again(epoch, clock, tmp_path):
    rounds = Rounds(8, 1, STEPS, seconds=60.0)
    done = _run(_fit(tmp_path, rounds), lambda number: epoch(number, clock), tmp_path, [3, 2, 1])
    again = _run(_fit(tmp_path, rounds), lambda number: 1 / 0, tmp_path, [])
    assert json.dumps(asdict(again)) == json.dumps(asdict(done))


def test_a_real_training_ends_within_its_seconds(epoch, tmp_path):
    fit = _fit(tmp_path, Rounds(1_000_000, 1, STEPS, seconds=6.0))
    started = time.monotonic()
    history = fit.run(epoch, lambda model: {}, str(tmp_path))
    assert 3.0 < history.seconds < 6.5 and time.monotonic() - started < 8
    assert int(fit.optimizer.step) == pytest.approx(fit.pace.planned, abs=1)
    assert history.improving is None


@pytest.mark.parametrize(
    ("training", "seconds", "numbers", "most"),
    [
        ({"minutes": 2.0}, [80, 40], [8, 4], [80, 40]),
        ({"minutes": 2.0, "epochs": 0.5}, [80, 40], [1, 1], [5, 3]),
        ({"epochs": 3}, [None, None], [3, 2], [30, 20]),
        ({"epochs": 3.0}, [None, None], [3, 2], [30, 20]),
        ({"minutes": 2.0, "refit": False}, [120], [8], [80]),
    ],
)
def test_a_training_and_its_refit_share_what_there_is(tmp_path, training, seconds, numbers, most):
    job = made(tmp_path, training=training)
    train = SimpleNamespace(lengths={5: 10 * (2048 // 9)}, events=100)
    jobs = [job, replace(job, refits=True)] if job.will_refit else [job]
    rounds = [rounds_of(one, cast(Any, SimpleNamespace(statistics=train))) for one in jobs]
    assert [one.seconds for one in rounds] == [pytest.approx(s) for s in seconds]
    assert [one.number for one in rounds] == numbers
    assert [one.most for one in rounds] == most
