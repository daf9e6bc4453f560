"""What several tests of trainings share.

Dropout of every kind is off wherever weights are compared: its draws depend on how many came before
in the process, and a resumed run does not repeat those of the interrupted one.
"""

import contextlib
import functools

import pytest

from tests.components.trainer.eager import eagerly
from tests.components.trainer.lines import LOSSES, STEPS, Line, fit_of, scripted, weights


@pytest.fixture(scope="module")
def epoch(make_facts, make_window):
    """The windows of each epoch: other ones every time, the same ones for the same number."""

    def windows(number):
        return [make_window(make_facts(), [5, 3], 10 * number + step) for step in range(STEPS)]

    return windows


@pytest.fixture(scope="module")
def made_by(make_model):
    """Makes a model of a kind, the same every time, and begins its noise anew."""
    return {"line": Line, "recommender": lambda: make_model(True)}


@pytest.fixture(scope="module")
def undisturbed(made_by, epoch, tmp_path_factory):
    """The history and the weights of a kind of model after a training that nothing kills."""

    @functools.cache
    def train(kind):
        model, folder = made_by[kind](), tmp_path_factory.mktemp(kind)
        history = fit_of(model, folder, 4).run(epoch, scripted(LOSSES), str(folder))
        return history, weights(model)

    return train


@pytest.fixture
def kind(request):
    """What is trained; the steps of the real model are taken without a trace."""
    with eagerly() if request.param == "recommender" else contextlib.nullcontext():
        yield request.param
