"""Cross layers against the equations of the paper, and that they start as if there were none."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.experiments.crosses import CrossedRating, CrossedSum, rating_parts
from components.model import randomness
from components.model.config import ModelConfig
from components.model.parts import add_up
from components.trainer.models import build_model

PARTS, WIDTH = ("a", "b", "c"), 4


@pytest.fixture(params=[CrossedSum, CrossedRating], ids=["sum", "rating"])
def crosses(request):
    """Two layers whose every weight is drawn."""
    randomness.seed(2)
    made = request.param(PARTS, WIDTH, 2, "crosses")
    _crossed(made, [tf.ones([1, WIDTH])] * len(PARTS))
    for variable in made.variables:
        variable.assign(tf.random.normal(variable.shape, 0, 0.5))
    return made


def _crossed(crosses, parts):
    """What comes out of a sum, which takes groups of parts, or of a rating."""
    return crosses([parts]) if isinstance(crosses, CrossedSum) else crosses(parts)


def _weights(crosses):
    """Each layer's kernel [in, out] and bias, and the map outward, by the variables' names."""
    named = {v.name.removeprefix("crosses/").removesuffix(":0"): v.numpy() for v in crosses.weights}
    layers = [
        (named[f"cross_{i}/narrow/kernel"] @ named[f"cross_{i}/wide/kernel"],
         named[f"cross_{i}/wide/bias"])
        for i in range(2)
    ]  # fmt: skip
    return layers, named.get("sum/kernel", named.get("out/mean"))


def _expected(crosses, x):
    layers, outward = _weights(crosses)
    crossed = x
    for kernel, bias in layers:
        crossed = x * (crossed @ kernel + bias) + crossed
    return np.squeeze(crossed @ outward)


def _split(x):
    return [tf.constant(part, tf.float32) for part in np.split(x, len(PARTS), -1)]


def test_layers_are_those_of_the_paper(crosses):
    x = np.random.default_rng(0).normal(size=[5, 2, 12])
    np.testing.assert_allclose(
        _crossed(crosses, _split(x)), _expected(crosses, x), rtol=1e-4, atol=1e-5
    )


def test_the_kernel_is_what_products_of_two_come_out_with(crosses):
    """By second differences: what remains of a polynomial near zero beyond its linear part."""
    x, small = np.random.default_rng(1).normal(size=[7, 12]), 1e-4
    _, outward = _weights(crosses)
    there, back = (_expected(crosses, sign * small * x) for sign in (1, -1))
    expected = (there + back) / (2 * small**2)
    found = np.squeeze((x * (x @ crosses.kernel().numpy())) @ outward)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_rank_is_half_of_a_parts_width(crosses):
    for kernel, _ in _weights(crosses)[0]:
        assert np.linalg.matrix_rank(kernel) == WIDTH // 2


def test_a_sum_starts_as_the_plain_one_and_a_rating_as_nothing():
    x = np.random.default_rng(3).normal(size=[5, 12]).astype(np.float32)
    parts = _split(x)
    crossed = CrossedSum(PARTS, WIDTH, 2, "s")
    for groups in ([parts], [parts[:1], parts[1:]]):
        np.testing.assert_allclose(crossed(groups), add_up(groups), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(CrossedRating(PARTS, WIDTH, 2, "r")(parts), np.zeros(5))


def test_a_rating_counts_the_divergence_of_its_weights():
    """By sampling: the mean of the two log densities' difference under the weights' own law."""
    made = CrossedRating(PARTS, WIDTH, 1, "r")
    made(_split(np.ones([1, 12])))
    mean, log_spread, log_prior = made._out.variables
    mean.assign(0.05 * tf.random.stateless_normal(mean.shape, [1, 2]))
    drawn = mean + tf.exp(log_spread) * tf.random.stateless_normal([20_000, *mean.shape], [3, 4])

    def log_density(x, middle, log_deviation):
        return -0.5 * ((x - middle) / np.exp(log_deviation)) ** 2 - log_deviation

    own = log_density(drawn, mean, log_spread)
    prior = log_density(drawn, 0.0, log_prior)
    expected = float(tf.reduce_mean(tf.reduce_sum(own - prior, [1, 2])))
    assert float(made.divergence()) == pytest.approx(expected, rel=0.02)


def test_parts_of_a_rating_are_of_its_own_user_and_movie():
    rng = np.random.default_rng(4)
    rows, solved = rng.normal(size=[6, 2, 4]), rng.normal(size=[3, 2, 1, 2])
    kind, target = rng.normal(size=[3, 4]), rng.integers(0, 6, [3, 5])
    found = rating_parts(tf.constant(rows), tf.constant(solved), [tf.constant(kind)], target)
    for user, place in np.ndindex(3, 5):
        expected = [solved[user, :, 0].ravel(), kind[user], *rows[target[user, place]]]
        np.testing.assert_array_equal([part[user, place] for part in found], expected)
    many = rating_parts(tf.constant(rows), tf.constant(np.repeat(solved, 5, 2)), [], target)
    np.testing.assert_array_equal(many[0], found[0])


@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "set"])
def test_an_untrained_model_answers_as_without(ordered, make_facts, make_window):
    facts = make_facts()
    window = make_window(facts, [5, 3])
    models: list[Any] = [
        build_model(
            ModelConfig(dims=8, cross_layers=layers, rating_cross_layers=layers), facts, ordered
        )
        for layers in (0, 2)
    ]
    for model in models:
        model.compute_loss(window)
    plain, crossed = models
    given = {variable.name: variable for variable in plain.variables}
    for variable in crossed.variables:
        if variable.name in given:
            variable.assign(given[variable.name])
    losses = (model.losses_per_task(window, training=False) for model in (plain, crossed))
    before, after = losses
    if ordered:  # a set hides other movies every time
        assert float(after["retrieval"]) == pytest.approx(float(before["retrieval"]), rel=1e-5)
    own = crossed.rating_head.interaction.divergence() * 2.0 / facts.counts.sum()
    assert float(after["rating"]) == pytest.approx(float(before["rating"] + own), rel=1e-5)
    tables = [model.movie_tables().vectors for model in (plain, crossed)]
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-5, atol=1e-6)
