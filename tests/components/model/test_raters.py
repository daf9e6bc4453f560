"""Who rated the movies of a step, and what each of them adds to these."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.raters import Pairs, keys, own_part, pairs_of, summed
from components.model.tables import RatersOf

MOVIES = (1, 4, 5, 11)  # the last one was never rated


@pytest.fixture
def facts(make_facts):
    return make_facts()


def _by_hand(facts, movies):
    raters = facts.raters
    return [
        (place, user, weight)
        for place, row in enumerate(movies)
        for movie, user, weight in zip(
            *(part.tolist() for part in vars(raters).values()), strict=True
        )
        if movie == row
    ]


@pytest.mark.parametrize("movies", [MOVIES, (11,), tuple(range(12))], ids=str)
def test_the_raters_of_some_movies_are_those_of_the_facts(facts, movies):
    found = pairs_of(facts, tf.constant(movies))
    pairs = list(zip(*(part.numpy().tolist() for part in found), strict=True))
    assert pairs == _by_hand(facts, movies)
    assert len(pairs) > 0 or movies == (11,)


def test_without_a_choice_they_are_those_of_all_movies(facts):
    one, other = pairs_of(facts, None), pairs_of(facts, tf.range(12))
    for mine, yours in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, yours)


def test_a_movie_sums_up_its_raters_by_weight(facts):
    values = np.random.default_rng(2).normal(size=[4, 3]).astype(np.float32)
    pairs = pairs_of(facts, tf.constant(MOVIES))
    found = summed(pairs, pairs.user, tf.constant(values), tf.constant(len(MOVIES))).numpy()
    expected = np.zeros([len(MOVIES), 3])
    for place, user, weight in _by_hand(facts, MOVIES):
        expected[place] += weight * values[user]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not found[3].any()


def test_a_user_adds_something_to_what_they_rated_only(facts):
    values = np.random.default_rng(3).normal(size=[4, 3]).astype(np.float32)
    pairs = pairs_of(facts, tf.constant(MOVIES))
    raters = RatersOf(
        tf.pad(keys(pairs, facts), [[0, 1]], constant_values=tf.int64.max),
        tf.pad(pairs.weight, [[0, 1]]), tf.pad(pairs.user, [[0, 1]]), tf.constant(values),
    )  # fmt: skip
    known = {(place, user): weight for place, user, weight in _by_hand(facts, MOVIES)}
    users, target = [0, 3, 4], np.tile(np.arange(len(MOVIES)), [3, 1])
    found = own_part(raters, facts, tf.constant(target, tf.int32), tf.constant(users)).numpy()
    for row, user in enumerate(users):
        for place in range(len(MOVIES)):
            weight = known.get((place, user), 0.0)
            expected = weight * values[user] if weight else np.zeros(3)
            np.testing.assert_allclose(found[row, place], expected, rtol=1e-6)
    assert known and not found[2].any()


def test_pairs_have_numbers_in_their_order(facts):
    pairs = Pairs(tf.constant([0, 0, 2], tf.int64), tf.constant([1, 3, 0]), tf.zeros(3))
    numbers = keys(pairs, facts).numpy()
    assert (np.diff(numbers) > 0).all()
