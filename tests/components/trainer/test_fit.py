"""The training loop: what it keeps, when it stops, and how it goes on after a stop.

Dropout of every kind is off wherever weights are compared: its draws depend on how many came before
in the process, and a resumed run does not repeat those of the interrupted one.
"""

import logging
import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.model import randomness
from components.model.config import TrainingConfig
from components.trainer.fit import Fit
from components.trainer.rounds import Rounds
from tests.components.trainer.eager import eagerly
from tests.components.trainer.lines import (
    LOSSES,
    STEPS,
    KillError,
    Line,
    assert_same,
    fit_of,
    scripted,
    weights,
)  # fmt: skip


@pytest.fixture
def model():
    return Line()


def test_early_stopping_keeps_the_best_weights(model, epoch, tmp_path):
    seen: list[Any] = []
    judge = scripted([3.0, 2.0, 2.5, 2.0, 1.0], seen)
    history = fit_of(model, tmp_path, 10, patience=2).run(epoch, judge, str(tmp_path))
    assert [row["valid_loss"] for row in history.epochs] == [3.0, 2.0, 2.5, 2.0]
    assert history.best == {"valid_loss": (1, 2.0)}
    assert_same(weights(model), seen[1])
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(seen[1], seen[3], strict=True))


def test_averages_over_an_epochs_steps_are_judged_and_training_goes_on_from_the_last_weights(
    model, epoch, tmp_path
):
    seen, stepped = [], []
    fit = fit_of(model, tmp_path, 3)
    step = fit._step

    def taken(window):
        loss = step(window)
        stepped.append((model.slope.numpy(), model.offset.numpy()))
        return loss

    def judge(model):
        seen.append((model.slope.numpy(), model.offset.numpy()))
        return {"valid_loss": -len(seen)}

    fit._step = taken
    fit.run(epoch, judge, str(tmp_path))
    alone = fit_of(Line(), tmp_path / "alone", 3)
    average = stepped[0][0]
    for number, (slope, offset) in enumerate(stepped, 1):
        alone._train_step(epoch((number - 1) // STEPS)[(number - 1) % STEPS])
        np.testing.assert_allclose(alone.model.slope, slope, rtol=1e-5)
        average = average + (slope - average) / min(number, STEPS)
        if number % STEPS == 0:
            assert_same(seen[number // STEPS - 1], (average, offset), rtol=1e-5)
    assert_same((model.slope.numpy(), model.offset.numpy()), (average, offset), rtol=1e-5)
    assert np.abs(slope - average).max() > 1e-4


def test_windows_of_any_shape_share_one_trace(model, make_facts, make_window, tmp_path):
    fit = fit_of(model, tmp_path, 1)
    shapes = [[5, 3], [2], [7, 7, 1], [4, 4]]
    windows = [make_window(make_facts(), lengths) for lengths in shapes]
    fit.run(lambda number: windows, lambda model: {}, str(tmp_path))
    assert fit._step.experimental_get_tracing_count() == 1


def test_a_late_best_is_the_one_that_is_kept(model, epoch, tmp_path):
    seen: list[Any] = []
    history = fit_of(model, tmp_path, 3, patience=5).run(
        epoch, scripted([3.0, 2.0, 1.0], seen), str(tmp_path)
    )
    assert history.best_epoch == 2
    assert_same(weights(model), seen[2])


def test_without_a_valid_split_every_epoch_runs_and_the_last_is_kept(model, epoch, tmp_path):
    seen: list[Any] = []

    def judge(model):
        seen.append(weights(model))
        return {}

    history = fit_of(model, tmp_path, 4, patience=1).run(epoch, judge, str(tmp_path))
    assert len(history.epochs) == 4 and history.best_epoch == 3
    assert all("valid_loss" not in row and math.isfinite(row["loss"]) for row in history.epochs)
    assert_same(weights(model), seen[-1])


def test_each_part_keeps_the_weights_of_its_own_best_epoch(model, epoch, tmp_path):
    seen, given = [], iter([(3.0, 1.0), (2.0, 2.0), (2.5, 3.0), (2.6, 0.5), (2.7, 9), (2.8, 9)])

    def judge(model):
        seen.append((model.slope.numpy(), model.offset.numpy()))
        return dict(zip(("valid_slope", "valid_offset"), next(given), strict=True))

    parts = {"valid_slope": [model.slope], "valid_offset": [model.offset]}
    folder = str(tmp_path / "checkpoints")
    fit = Fit(model, TrainingConfig(patience=2), Rounds(9, 1, STEPS), folder, parts)
    history = fit.run(epoch, judge, str(tmp_path))
    assert history.best == {"valid_slope": (1, 2.0), "valid_offset": (3, 0.5)}
    assert len(history.epochs) == 6  # patience counts from the last part's best
    np.testing.assert_array_equal(model.slope.numpy(), seen[1][0])
    np.testing.assert_array_equal(model.offset.numpy(), seen[3][1])


def test_a_loss_that_is_no_number_is_never_the_best(model, epoch, tmp_path):
    before = weights(model)
    history = fit_of(model, tmp_path, 9, patience=2).run(
        epoch, scripted([math.nan] * 9), str(tmp_path)
    )
    assert len(history.epochs) == 2 and history.best_epoch == -1
    assert_same(weights(model), before)


def test_no_epochs_leave_the_model_as_it_is(model, tmp_path):
    before = weights(model)
    history = fit_of(model, tmp_path, 0).run(lambda number: 1 / 0, lambda model: {}, str(tmp_path))
    assert history.epochs == [] and history.best_epoch == -1
    assert_same(weights(model), before)


@pytest.mark.parametrize(
    ("kind", "place", "number"),
    [
        ("line", "first step", 0),
        ("line", "mid-epoch", 0),
        ("line", "first step", 2),
        ("line", "mid-epoch", 2),
        ("line", "judging", 0),
        ("line", "judging", 3),
        ("recommender", "mid-epoch", 0),
        ("recommender", "mid-epoch", 2),
        ("recommender", "judging", 3),
    ],
    indirect=["kind"],
)
def test_a_killed_training_ends_like_one_that_was_not(
    kind, made_by, undisturbed, epoch, tmp_path, place, number
):
    make, losses = made_by[kind], LOSSES
    expected, left = undisturbed(kind)

    def fatal(at):
        for step, window in enumerate(epoch(at)):
            if at == number and step == {"first step": 0, "mid-epoch": 2}.get(place):
                raise KillError
            yield window

    def judge(model):
        done = len(fit.history.epochs)
        if place == "judging" and done == number:
            raise KillError
        return {"valid_loss": losses[done]}

    fit = fit_of(make(), tmp_path, 4)
    with pytest.raises(KillError):
        fit.run(fatal, judge, str(tmp_path))

    fresh, read = make(), []
    if number:  # whatever a new process starts from, the checkpoint replaces it
        for variable in fresh.variables:
            variable.assign(variable * 0.0 - 1.0)
        randomness.seed(77)

    def told(at):
        read.append(at)
        return epoch(at)

    history = fit_of(fresh, tmp_path, 4).run(told, scripted(losses[number:]), str(tmp_path))
    assert read == list(range(number, 4))
    assert history.best == expected.best
    found, wanted = ([row["loss"] for row in h.epochs] for h in (history, expected))
    assert len(found) == 4
    assert found == wanted
    for one, other in zip(weights(fresh), left, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_training_that_is_done_is_not_done_again(model, epoch, tmp_path):
    fit_of(model, tmp_path, 2).run(epoch, scripted([2.0, 3.0]), str(tmp_path))
    fresh = Line(7.0)
    history = fit_of(fresh, tmp_path, 2).run(lambda number: 1 / 0, scripted([]), str(tmp_path))
    assert len(history.epochs) == 2
    assert_same(weights(fresh), weights(model))


def test_it_learns_and_tells_how_far_it_is(make_model, make_facts, make_window, tmp_path, caplog):
    model = make_model(True)
    windows = [make_window(make_facts(), [9, 7, 8], seed) for seed in range(STEPS)]
    with eagerly(), caplog.at_level(logging.INFO, "greenlight.progress"):
        history = fit_of(model, tmp_path, 4, learning_rate=0.05).run(
            lambda number: windows, lambda model: {}, str(tmp_path / "logs")
        )
    losses = [row["loss"] for row in history.epochs]
    assert losses[-1] < 0.8 * losses[0]
    told = [(record.getMessage(), record.done) for record in caplog.records]
    assert told[0] == ("epoch 1 of 4", 0.0) and told[-1][0] == "epoch 4 of 4"
    assert [done for _, done in told] == sorted(done for _, done in told)
    assert told[-1][1] <= 1
    assert tf.io.gfile.glob(str(tmp_path / "logs" / "events*"))
