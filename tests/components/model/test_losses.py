"""The losses against numpy: the softmax, whole and sampled, and the order of a list."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.model.losses import log_sum_exp, softmax_loss, weighted_mean

logit = st.floats(-8, 8, width=32)


def _loss(chosen, logits, watched, log_rates=0.0, bias=None):
    """The loss of given logits [batch, positions, candidates]: each is one entry of a query."""
    movies = np.shape(logits)[-1]
    bias = np.zeros(movies) if bias is None else bias
    vectors = tf.eye(movies)
    bias = tf.constant(bias - log_rates * np.ones(movies), tf.float32)
    others = log_sum_exp(tf.convert_to_tensor(logits), vectors, bias, tf.constant(watched))
    return softmax_loss(tf.convert_to_tensor(chosen), others)


def _by_hand(chosen, logits, excluded):
    """Cross-entropy over the target and the candidates that are not excluded, one by one."""
    losses = np.zeros(chosen.shape)
    for row, position in np.ndindex(*chosen.shape):
        kept = [logits[row, position, m] for m in range(logits.shape[2]) if not excluded[row, m]]
        scores = np.array([chosen[row, position], *kept], np.float64)
        losses[row, position] = np.log(np.exp(scores).sum()) - scores[0]
    return losses


@settings(max_examples=30)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.randoms())
def test_agrees_with_numpy(batch, positions, movies, random):
    rng = np.random.default_rng(random.randrange(2**32))
    logits = rng.normal(0, 4, [batch, positions, movies]).astype(np.float32)
    chosen = rng.normal(0, 4, [batch, positions]).astype(np.float32)
    bias = rng.normal(0, 1, movies).astype(np.float32)
    watched = rng.random([batch, movies]) < 0.4
    loss = _loss(chosen, logits, watched, bias=bias)
    expected = _by_hand(chosen, logits + bias, watched)
    np.testing.assert_allclose(loss, expected, atol=1e-4, rtol=1e-5)


def test_over_the_whole_catalogue_it_is_the_usual_cross_entropy():
    logits = np.random.default_rng(2).normal(0, 2, [4, 1, 9]).astype(np.float32)
    target = np.array([[0], [3], [8], [3]])
    chosen = np.take_along_axis(logits[:, 0], target, 1)
    loss = _loss(chosen, logits, np.eye(9)[target[:, 0]] > 0)
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_what_a_user_also_watched_costs_nothing():
    logits = np.array([[[1.0, 50.0, 2.0]]], np.float32)
    chosen = np.array([[1.0]], np.float32)
    free = _loss(chosen, logits, [[True, True, False]])
    np.testing.assert_allclose(free, [[np.log1p(np.e)]], rtol=1e-5)
    alone = _loss(chosen, logits, [[True, True, True]])
    np.testing.assert_allclose(alone, [[0.0]], atol=1e-6)


def test_sampled_candidates_estimate_the_whole_catalogue():
    rng = np.random.default_rng(4)
    movies, drawn = 200, 40
    logits = rng.normal(0, 1, movies).astype(np.float32)
    popularity = rng.dirichlet(np.ones(movies) * 2)
    watched = np.arange(movies) < 5
    chosen = np.array([[1.5]], np.float32)
    whole = _loss(chosen, logits[None, None], watched[None]).numpy().item()
    for rates in (np.full(movies, 1 / movies), popularity):
        losses = []
        for _ in range(400):
            rows = rng.choice(movies, drawn, p=rates)
            log_rates = np.log(drawn * rates[rows]).astype(np.float32)
            sampled = _loss(chosen, logits[rows][None, None], watched[rows][None], log_rates)
            losses.append(sampled.numpy().item())
        # The sum over the others is estimated without bias; the loss is a smooth function of it.
        assert np.mean(np.expm1(losses)) == pytest.approx(np.expm1(whole), rel=0.03)
        assert np.mean(losses) == pytest.approx(whole, abs=0.05)


def test_the_models_own_draws_estimate_the_whole_catalogue(make_facts, make_window, make_model):
    facts = make_facts(movies=150)
    window = make_window(facts, [6, 9, 3], seed=8)
    whole = make_model(True, facts)
    expected = float(whole.losses_per_task(window, training=False)["retrieval"])
    sampled = make_model(True, facts, max_softmax=48)

    def loss():
        return sampled.losses_per_task(window, training=False)["retrieval"]

    draw = tf.function(loss, autograph=False)
    drawn = [float(draw()) for _ in range(200)]
    assert np.std(drawn) > 0
    # The log of an unbiased estimate lies below the whole: here by .05, in 3,000 draws.
    assert np.mean(drawn) == pytest.approx(expected - 0.05, abs=0.06)


def test_the_gradients_are_those_of_the_formula():
    rng = np.random.default_rng(6)
    shapes = ([3, 5, 4], [7, 4], [7])
    given = [tf.Variable(rng.normal(size=shape), dtype=tf.float32) for shape in shapes]
    watched, weights = rng.random([3, 7]) < 0.3, rng.normal(size=[3, 5]).astype(np.float32)

    def plain(query, vectors, bias, watched):
        logits = tf.einsum("btd,md->btm", query, vectors) + bias
        return tf.reduce_logsumexp(tf.where(watched[:, None], -1e9, logits), -1)

    found = []
    for function in (log_sum_exp, plain):
        with tf.GradientTape() as tape:
            query, vectors, bias = map(tf.identity, given)
            loss = tf.reduce_sum(weights * function(query, vectors, bias, tf.constant(watched)))
        found.append([loss, *tape.gradient(loss, given)])
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1e3, -1e3])
@pytest.mark.parametrize("hidden", [True, False])
def test_gradients_are_finite(size, hidden):
    chosen, logits = tf.Variable([[size, -size]]), tf.Variable(tf.fill([1, 2, 3], -size))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(_loss(chosen, logits, [[hidden] * 3]))
    for gradient in tape.gradient(loss, [chosen, logits]):
        assert np.isfinite(gradient.numpy()).all()


@given(st.lists(st.tuples(logit, st.floats(0, 4, width=32)), min_size=1, max_size=9))
def test_weighted_mean_agrees_with_numpy(rows):
    values, weights = np.array(rows, np.float32).T
    found = weighted_mean(tf.constant(values), tf.constant(weights)).numpy()
    total = weights.astype(np.float64).sum()
    if total > 1e-3:
        assert found == pytest.approx((values.astype(np.float64) * weights).sum() / total, abs=1e-3)
    if total == 0:
        assert found == 0
