"""The tutorials' model: its losses by numpy, and that it answers like the other one."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from components.experiments.two_towers import TwoTowers
from components.model import randomness, scoring
from components.model.config import ModelConfig
from components.model.context import latest
from tests.components.model.contract import REACH, ModelContract


@pytest.fixture(scope="module")
def make(make_facts, make_window):
    def model(rated="all", **config):
        randomness.seed(4)
        facts = make_facts(rated=rated)
        made = TwoTowers(ModelConfig(towers="ids", dims=6, **config), facts, ordered=False)
        made.compute_loss(make_window(facts, [1, 1]))
        for variable in made.trainable_variables:
            variable.assign_add(tf.random.normal(variable.shape, 0, 0.3))
        return made

    return model


@pytest.fixture(scope="module", params=["all", "some", "none"])
def model(request, make):
    return make(request.param, rating_layers=[5, 4])


class TestTwoTowers(ModelContract):
    """The contract of every model."""


@pytest.fixture
def batch(make_facts, make_window):
    return make_window(make_facts(), [1, 3, 2], seed=6)


def test_the_retrieval_loss_is_the_softmax_over_the_batch(make, batch):
    model = make(rating_weight=0.0)
    event = np.argwhere(batch.present.numpy() > 0)
    users = model.users.rows.numpy()[batch.user.numpy()[event[:, 0]]]
    rows = model.facts.id_rows[batch.movie.numpy()[event[:, 0], event[:, 1]]]
    logits = users @ model.movies.rows.numpy()[rows].T
    expected = (np.log(np.exp(logits).sum(1)) - np.diag(logits)).sum()
    assert float(model.compute_loss(batch)) == pytest.approx(expected, rel=1e-5)


def test_the_rating_loss_is_the_mean_squared_error(make, batch):
    model = make(retrieval_weight=0.0, rating_layers=[5, 4])
    tables, errors = model.movie_tables(), []
    for row, place in np.argwhere(batch.present.numpy() > 0):
        one = type(batch)(*(tensor[row : row + 1] for tensor in batch))
        at = one.movie[:, place : place + 1]
        found = scoring.rate(model, tables, one, at, REACH)  # clipped, so the loss is at least this
        low, high = model.facts.scale
        raw = model.rate(tables, latest(one, REACH, ordered=False), at)
        assert float(found[0, 0]) == pytest.approx(np.clip(float(raw[0, 0]), low, high))
        errors.append((float(raw[0, 0]) - float(one.rating[0, place])) ** 2)
    assert float(model.compute_loss(batch)) == pytest.approx(np.mean(errors), rel=1e-4)


def test_history_changes_nothing_but_what_was_seen(make, make_facts, make_window):
    model, window = make(), make_window(make_facts(), [5, 2], seed=1, front=True)
    tables = model.movie_tables()
    scores = scoring.score(model, tables, window, REACH)
    other = window._replace(rating=5.5 - window.rating)
    np.testing.assert_array_equal(scores.model, scoring.score(model, tables, other, REACH).model)
    assert scores.seen.numpy().sum(1).tolist() == [5, 2]


def test_hidden_units_keep_to_the_norm(make):
    model = make(max_norm=0.5)
    optimizer = keras.optimizers.Adagrad(1.0, jit_compile=False)
    kernel = model._layers[0].kernel
    optimizer.apply_gradients([(tf.ones_like(kernel), kernel)])
    assert tf.norm(kernel, axis=0).numpy().max() <= 0.5 + 1e-5


def test_without_ratings_none_are_predicted(make, make_window):
    model = make("none")
    window = make_window(model.facts, [2])
    with pytest.raises(ValueError, match="without ratings"):
        model.rate(model.movie_tables(), latest(window, REACH, ordered=False), window.movie)
