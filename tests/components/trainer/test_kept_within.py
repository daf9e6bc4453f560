"""Rounds that take long: written to checkpoints on the way, and gone on with from there."""

from typing import Any

import numpy as np
import pytest

from components.model import randomness
from components.model.config import TrainingConfig
from components.trainer import checkpoints, pace
from components.trainer.fit import Fit
from components.trainer.rounds import Rounds
from tests.components.trainer.lines import LOSSES, STEPS, KillError, Line, fit_of, scripted, weights
from tests.components.trainer.test_pace import Clock


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    monkeypatch.setattr(checkpoints, "time", made)
    return made


def steps_of(fit, clock, seconds, killed_at=-1):
    """The steps that a training takes from now on, of so many seconds; one may end it."""
    taken: list[Any] = []
    step = fit._step

    def told(window):
        if len(taken) == killed_at:
            raise KillError
        clock.now += seconds
        taken.append(window)
        return step(window)

    fit._step = told
    return taken


@pytest.mark.parametrize(
    ("kind", "number", "step"),
    [("line", 0, 1), ("line", 2, 2), ("recommender", 0, 2), ("recommender", 3, 1)],
    indirect=["kind"],
)
def test_within_a_round_it_goes_on_with_the_next_step_and_ends_as_if_nothing_had_been(
    kind, number, step, made_by, undisturbed, epoch, clock, tmp_path
):
    expected, left = undisturbed(kind)
    fit = fit_of(made_by[kind](), tmp_path, 4)
    steps_of(fit, clock, checkpoints.SECONDS, killed_at=number * STEPS + step)
    with pytest.raises(KillError):
        fit.run(epoch, scripted(LOSSES), str(tmp_path))
    fresh = made_by[kind]()
    for variable in fresh.variables:
        variable.assign(variable * 0.0 - 1.0)
    randomness.seed(77)
    fit = fit_of(fresh, tmp_path, 4)
    taken = steps_of(fit, clock, 0.0)
    history = fit.run(epoch, scripted(LOSSES[number:]), str(tmp_path))
    assert len(taken) == (4 - number) * STEPS - step
    assert [row["loss"] for row in history.epochs] == [row["loss"] for row in expected.epochs]
    assert history.best == expected.best
    for one, other in zip(weights(fresh), left, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def long(epoch):
    """The windows of a round of 600 steps."""
    return lambda at: [*epoch(at)] * (600 // STEPS)


@pytest.mark.parametrize("seconds", [1.0, 13.0, 29.0])
def test_no_more_than_two_minutes_are_lost(long, clock, tmp_path, seconds):
    fit = fit_of(Line(), tmp_path, 1)
    steps_of(fit, clock, seconds, killed_at=250)
    with pytest.raises(KillError):
        fit.run(long, scripted([1.0]), str(tmp_path))
    fit = fit_of(Line(), tmp_path, 1)
    taken = steps_of(fit, clock, seconds)
    fit.run(long, scripted([1.0]), str(tmp_path))
    repeated = len(taken) - (600 - 250)
    assert 0 < repeated * seconds <= 120


def test_what_is_quick_is_kept_after_rounds_alone(epoch, clock, tmp_path, monkeypatch):
    fit = fit_of(Line(), tmp_path, 3)
    saved, save = [], fit._checkpoints.save

    def told():
        saved.append(clock.now)
        save()

    monkeypatch.setattr(fit._checkpoints, "save", told)
    steps_of(fit, clock, 5.0)
    fit.run(epoch, scripted(LOSSES), str(tmp_path))
    assert np.diff([1000.0, *saved]).tolist() == [5.0 * STEPS] * 3


def test_time_that_an_earlier_process_took_counts(long, clock, tmp_path):
    """A round that the end of the time cuts is judged, whoever began it."""

    def fit(killed_at=-1):
        rounds, folder = Rounds(1, 1, 600, seconds=3000.0), str(tmp_path / "checkpoints")
        made = Fit(Line(), TrainingConfig(), rounds, folder)
        steps_of(made, clock, 30.0, killed_at)
        return made

    with pytest.raises(KillError):
        fit(killed_at=50).run(long, scripted([1.0]), str(tmp_path))
    clock.now += 1e6
    second = fit()
    history = second.run(long, scripted([1.0]), str(tmp_path))
    assert 0.9 * 3000 < history.seconds <= 3000
    assert history.read == pytest.approx(int(second.optimizer.step) / 600)
    assert len(history.epochs) == 1 and history.losses == []
