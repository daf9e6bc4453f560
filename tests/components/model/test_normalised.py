"""The normalised value of a movie's number, beside the row of its bucket."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.model.context import latest
from components.trainer.gather import FARTHEST, normalised


def test_numbers_are_counted_in_deviations_from_the_mean():
    found = normalised(np.array([90.0, 110.0, np.nan, 1e6], np.float32), 100.0, 20.0)
    np.testing.assert_allclose(found, [-0.5, 0.5, 0.0, FARTHEST])
    assert found.dtype == np.float32


@pytest.fixture(scope="module")
def numbered(make_facts, make_model):
    facts = make_facts()
    value = np.linspace(-2, 2, len(facts.movie_ids)).astype(np.float32)
    return make_model(True, dataclasses.replace(facts, normalised={"year": value}))


def test_movies_of_one_bucket_differ_by_their_number(numbered):
    facts = numbered.facts
    flat = dataclasses.replace(facts, normalised={"year": 0 * facts.normalised["year"]})
    with_it, without = numbered.movie_tables(), numbered.movie_tables(flat)
    for layer, own, other in (
        (numbered.movies, with_it.vectors, without.vectors),
        (numbered.popularity, with_it.popularity[:, None], without.popularity[:, None]),
    ):
        slope = layer.slopes["year"].numpy()
        assert slope.any()
        expected = facts.normalised["year"][:, np.newaxis] * slope
        np.testing.assert_allclose(own - other, expected, atol=1e-5)
    slope = numbered.rating_head.movies.slopes["year"].means().numpy()
    added = (with_it.rating.movies - without.rating.movies).numpy().reshape(len(expected), -1)
    np.testing.assert_allclose(added, facts.normalised["year"][:, np.newaxis] * slope, atol=1e-5)


def test_a_step_reads_what_all_tables_say(numbered):
    movies = tf.constant([1, 4, 6])
    drawn = numbered.rating_head.drawn(movies, training=False).movies
    np.testing.assert_allclose(
        drawn, tf.gather(numbered.movie_tables().rating.movies, movies), rtol=1e-4, atol=1e-5
    )


def test_a_step_changes_it(numbered, make_window):
    window = make_window(numbered.facts, [5, 3], seed=2)
    slopes = [
        numbered.movies.slopes["year"], numbered.popularity.slopes["year"],
        numbered.rating_head.movies.slopes["year"].mean,
    ]  # fmt: skip
    with tf.GradientTape() as tape:
        loss = numbered.compute_loss(window, training=True)
    assert all(tf.reduce_any(slope != 0) for slope in tape.gradient(loss, slopes))
    tables = {table.weight.ref() for table in numbered.by_row()}
    assert not tables & {slope.ref() for slope in slopes}  # every step reads them whole
    assert numbered.rate(
        numbered.movie_tables(), latest(window, 5, True), window.movie[:, :1]
    ).shape
