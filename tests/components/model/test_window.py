"""Windows: the movies that they read."""

import numpy as np
import tensorflow as tf

from components.model.window import narrowed


def test_a_window_is_read_by_the_movies_that_it_names(make_facts, make_window):
    window = make_window(make_facts(), [6, 3], seed=2)
    movies, local = narrowed(window)
    rows = movies.numpy()
    assert (np.diff(rows) > 0).all()
    assert set(rows) == set(window.movie.numpy().ravel())
    np.testing.assert_array_equal(rows[local.movie.numpy()], window.movie)
    for name in ("user", "rating", "present", "rated", "moment"):
        assert getattr(local, name) is getattr(window, name)


def test_an_empty_window_names_the_movie_of_its_padding(make_facts, make_window):
    movies, local = narrowed(make_window(make_facts(), [0]))
    assert movies.numpy().tolist() == [0]
    np.testing.assert_array_equal(local.movie, tf.zeros([1, 1]))
