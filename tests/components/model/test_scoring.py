"""Ranks, seen movies and the bias baseline against brute force."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.model import scoring
from components.model.seen import seen_movies

REACH = 20


def _mean_place(scores, target, hidden):
    """The target's place, averaged over the best and the worst that ties allow."""
    rivals = [s for i, s in enumerate(scores) if i != target and not hidden[i]]
    ahead = sum(score > scores[target] for score in rivals)
    level = sum(score == scores[target] for score in rivals)
    return np.mean([1 + ahead + place for place in range(level + 1)])


@given(st.data())
def test_expected_rank_agrees_with_brute_force(data):
    movies = data.draw(st.integers(1, 8))
    batch = data.draw(st.integers(1, 3))
    scores, target, hidden = [], [], []
    for _ in range(batch):
        scores.append(data.draw(st.lists(st.integers(-2, 2), min_size=movies, max_size=movies)))
        target.append(data.draw(st.integers(0, movies - 1)))
        hidden.append(data.draw(st.lists(st.booleans(), min_size=movies, max_size=movies)))
    table = tf.constant(scores, tf.float32)
    masked = scoring.expected_rank(table, tf.constant(target), tf.constant(hidden))
    plain = scoring.expected_rank(table, tf.constant(target), None)
    for row in range(batch):
        assert masked[row] == _mean_place(scores[row], target[row], hidden[row])
        assert plain[row] == _mean_place(scores[row], target[row], [False] * movies)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_target_without_a_score_ranks_last(bad):
    scores = tf.constant([[0.1, bad, 0.3, 0.2]], tf.float32)
    assert scoring.expected_rank(scores, tf.constant([1]), None).numpy() == [4.0]


def test_a_model_that_knows_nothing_gains_nothing():
    same = scoring.expected_rank(tf.zeros([1, 9]), tf.constant([4]), None)
    broken = scoring.expected_rank(tf.fill([1, 9], np.nan), tf.constant([4]), None)
    assert same.numpy() == [5.0] and broken.numpy() == [9.0]


def test_uncut_ndcg_is_one_over_log2_of_one_plus_rank():
    rank = np.array([1.0, 2.0, 2.5, 10.0, 3000.0], np.float32)
    np.testing.assert_allclose(scoring.uncut_ndcg(tf.constant(rank)), 1 / np.log2(1 + rank), 1e-6)


def test_seen_movies_are_those_of_the_history(make_facts, make_window):
    window = make_window(make_facts(), [3, 0, 12], seed=4, front=True)
    seen = seen_movies(window, 12).numpy()
    for row in range(3):
        rows = window.movie.numpy()[row][window.present.numpy()[row] > 0]
        assert set(np.flatnonzero(seen[row])) == set(rows)
    assert not seen[1].any() and seen[2].all()


def test_a_movie_watched_twice_is_seen(make_facts, make_window):
    window = make_window(make_facts(), [2])
    twice = window._replace(movie=tf.constant([[7, 7]]))
    np.testing.assert_array_equal(np.flatnonzero(seen_movies(twice, 12)[0]), [7])


def test_bias_rating_agrees_with_numpy(make_facts, make_window):
    facts = make_facts()
    window = make_window(facts, [6, 1, 0, 3], seed=3, front=True)
    target = [2, 11, 5, 0]
    total = facts.counts.sum()
    mean = facts.rating_sums.sum() / total
    bias = (facts.rating_sums - facts.counts * mean) / (facts.counts + 10)
    found = scoring.bias_rating(facts, window, tf.constant(target)).numpy()
    for row in range(4):
        events = np.flatnonzero(window.present.numpy()[row])
        movies, ratings = window.movie.numpy()[row, events], window.rating.numpy()[row, events]
        user = (ratings - mean - bias[movies]).sum() / (len(events) + 5)
        expected = np.clip(mean + bias[target[row]] + user, 0.5, 5.0)
        assert found[row] == pytest.approx(expected, abs=1e-5)


def test_bias_rating_stays_on_the_scale(make_facts, make_window):
    facts = make_facts(scale=(3.0, 3.5))
    window = make_window(facts, [9])._replace(rating=tf.fill([1, 9], 50.0))
    assert scoring.bias_rating(facts, window, tf.constant([0])).numpy() == [3.5]


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("popular", [None, np.arange(12.0)])
def test_nothing_known_means_exactly_popularity(
    make_facts, make_window, make_model, ordered, popular
):
    facts = dataclasses.replace(make_facts(), popular=popular)
    model = make_model(ordered, facts)
    expected = np.log((np.arange(12.0) + 1) / 78).astype(np.float32)
    expected = facts.log_popularity if popular is None else expected
    window = make_window(facts, [0, 0, 2], front=True)
    window = window._replace(user=tf.constant([len(facts.user_ids), 1, len(facts.user_ids)]))
    scores = scoring.score(model, model.movie_tables(), window, REACH)
    np.testing.assert_array_equal(scores.known, [False, True, True])
    np.testing.assert_array_equal(scores.model[0], expected)
    np.testing.assert_array_equal(scores.popularity, np.tile(expected, [3, 1]))
    for row in (1, 2):
        assert np.abs(scores.model[row] - expected).max() > 0.01


@pytest.mark.parametrize("scale", [(0.5, 5.0), (1.0, 5.0), (0.0, 10.0)])
@pytest.mark.parametrize("ordered", [True, False])
def test_ratings_stay_on_the_scale(make_facts, make_window, make_model, ordered, scale):
    facts = make_facts(scale=scale)
    model = make_model(ordered, facts)
    for variable in model.trainable_variables:
        variable.assign(variable * 20.0)
    window = make_window(facts, [4, 0, 9], front=True)
    target = tf.tile(tf.range(12)[tf.newaxis], [3, 1])
    ratings = scoring.rate(model, model.movie_tables(), window, target, REACH).numpy()
    assert ratings.shape == (3, 12)
    assert ratings.min() >= scale[0] and ratings.max() <= scale[1]
    assert {*scale} & {*ratings.ravel().tolist()}  # the clipping was put to the test


def test_a_rating_that_is_no_number_is_not_clipped_into_one(make_facts, make_window, make_model):
    model = make_model(True)
    model.rating_head.log_noise.assign([np.nan] * 2)
    window = make_window(make_facts(), [4])
    rating = scoring.rate(model, model.movie_tables(), window, tf.constant([[1]]), REACH)
    assert np.isnan(rating.numpy()).all()
