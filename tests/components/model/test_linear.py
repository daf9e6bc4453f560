"""The linear path: its closed form, and what it adds up."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.context import Context
from components.model.linear import LinearPath, closed_form
from components.model.window import Window

COVERED = np.array([1, 2, 4])


def test_the_closed_form_solves_ridge_regression_with_a_zero_diagonal():
    rng = np.random.default_rng(1)
    seen = (rng.random([50, 6]) < 0.4).astype(np.float32)
    found = closed_form(seen.T @ seen, penalty=3.0)
    assert not np.diag(found).any()
    for movie in range(6):  # each column on its own: the others explain it
        rest = [j for j in range(6) if j != movie]
        left = seen[:, rest].T @ seen[:, rest] + 3.0 * np.eye(5)
        expected = np.linalg.solve(left, seen[:, rest].T @ seen[:, movie])
        np.testing.assert_allclose(found[rest, movie], expected, atol=1e-4)


@pytest.fixture
def path():
    weights = np.arange(9, dtype=np.float32).reshape(3, 3) + 1
    np.fill_diagonal(weights, 0)
    return LinearPath(6, COVERED, weights)


def context(movie, visible, age):
    """One position of users of whom nothing but their movies is read."""
    unread = tf.zeros([len(movie), 0])
    movies = tf.constant(movie, tf.int32)
    window = Window(unread, unread, movies, unread, unread, unread, unread, unread)
    return Context(
        window, tf.constant(visible, tf.float32)[:, tf.newaxis], tf.constant(age, tf.float32)
    )


def test_it_says_nothing_before_it_is_given_a_share(path):
    scores = path(context(np.array([[1, 2]]), np.ones([1, 2]), np.zeros([1, 2])))
    assert not scores.numpy().any()


@pytest.mark.parametrize("half_life", [np.inf, 2.0])
def test_it_adds_up_what_each_visible_event_says(path, half_life):
    path.set(0.5, half_life)
    movie = np.array([[1, 0, 4, 2], [5, 3, 2, 2], [0, 0, 0, 0]])
    visible = np.array([[1, 1, 1, 0], [1, 1, 0, 1], [0, 0, 0, 0]], np.float32)
    age = np.array([[3, 2, 1, 0]], np.float32)
    scores = path(context(movie, visible, age)).numpy()
    expected = np.zeros([3, 6])
    place = {1: 0, 2: 1, 4: 2}
    for row, column in np.ndindex(movie.shape):
        if visible[row, column] and movie[row, column] in place:
            said = path.between.numpy()[place[movie[row, column]]]
            expected[row, COVERED] += 0.5 * 0.5 ** (age[0, column] / half_life) * said
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    assert not scores[:, [0, 3, 5]].any()
