"""The ages of movies: of the moment of the rating in training, of the newest one in serving."""

import dataclasses
from datetime import date

import numpy as np
import pytest
import tensorflow as tf

from components.examples.ages import DAY, years
from components.model.ages import Ages
from components.model.context import before
from components.model.parsing import history, parse
from components.model.scoring import rate
from components.model.window import narrowed

BUCKETS = [b"under 2", b"2 to 10", b"10 and over"]
NEWEST = 365 * 50  # of 2019-12-20


def test_moments_are_years_to_a_day():
    for day in (date(1970, 1, 1), date(1999, 7, 2), date(2000, 2, 29), date(2023, 12, 31)):
        moment = np.array([(day - date(1970, 1, 1)).days * DAY + 7])
        (found,) = years(moment)
        share = (day - date(day.year, 1, 1)).days / (
            date(day.year + 1, 1, 1) - date(day.year, 1, 1)
        ).days
        assert found == pytest.approx(day.year + share, abs=1.5 / 365)


def _ages(movies):
    born = 2019.9 - np.arange(movies, dtype=np.float32)[:, np.newaxis]
    born[3] = np.nan
    return Ages({"released_age": BUCKETS}, born, NEWEST)


def test_an_age_is_what_lies_between_a_moment_and_the_movies_date():
    ages = _ages(20)
    born = tf.gather(ages.all_born(), [[0, 3, 1], [1, 9, 12]])
    day = tf.constant([[NEWEST], [NEWEST + 366]])
    rows = ages.rows(day, born)[..., 0]
    np.testing.assert_array_equal(rows, [[0, 3, 0], [1, 2, 2]])  # 3: no date, so no bucket
    np.testing.assert_array_equal(ages.rows(tf.constant([[-1], [-1]]), born)[0, :, 0], rows[0])


@pytest.fixture(scope="module")
def aged(make_facts, make_model):
    facts = make_facts()
    facts = dataclasses.replace(facts, ages=_ages(len(facts.movie_ids)))
    return make_model(True, facts)


def test_a_rating_takes_the_age_of_its_own_moment_and_no_list_does(aged, make_window):
    head = aged.rating_head
    (table,) = head.ages
    window = make_window(aged.facts, [4, 4], seed=3)
    places = tf.shape(window.movie)
    asked = tf.fill([places[0], places[1], 1], NEWEST)
    tables = aged.movie_tables()

    def predicted(day):
        context = before(window._replace(asked=tf.fill(tf.shape(asked), day)))
        return aged.rate(tables, context, window.movie).numpy(), aged.query(tables, context).numpy()

    now, list_now = predicted(NEWEST)
    np.testing.assert_array_equal(predicted(-1)[0], now)
    later, list_later = predicted(NEWEST + 20 * 366)
    np.testing.assert_array_equal(list_later, list_now)
    dated = np.isfinite(aged.facts.ages.born[:, 0])[window.movie.numpy()]
    was = aged.facts.ages.rows(asked[..., 0], tf.gather(aged.facts.ages.all_born(), window.movie))
    moved = dated & (was[..., 0].numpy() != len(BUCKETS) - 1)
    assert moved.any() and (later != now)[moved].all()
    np.testing.assert_array_equal(later[~moved], now[~moved])
    assert table.means().shape[0] == len(BUCKETS)


def test_a_step_reads_of_its_movies_what_all_tables_say(aged, make_window):
    window = make_window(aged.facts, [5, 2], seed=4)
    days = np.random.default_rng(1).integers(NEWEST - 9000, NEWEST, window.movie.shape)
    window = window._replace(asked=tf.constant(days[..., np.newaxis], tf.int32))
    movies, local = narrowed(window)
    drawn, head = aged.rating_head.drawn(movies, training=False), aged.rating_head
    own = head.predict(drawn, head.posteriors(drawn, before(local)), local.movie)
    every = head.tables()
    whole = head.predict(every, head.posteriors(every, before(window)), window.movie)
    there = window.present.numpy() > 0
    np.testing.assert_allclose(own.numpy()[there], whole.numpy()[there], rtol=1e-4)


def test_examples_tell_training_the_day_and_nobody_else(aged, make_lookup, example):
    lookup = dataclasses.replace(make_lookup(aged.facts), days=True)
    rows = [
        example(user_id="u1", movie_id=["m1", "m2"], timestamp=[NEWEST * DAY + 5, 3 * DAY]),
        example(user_id="u2", movie_id=["m1"]),
    ]
    parsed = parse(lookup, tf.constant(rows))
    assert parsed.day.to_list() == [[[NEWEST], [3]], [[-1]]]
    asked = history(parsed).asked
    np.testing.assert_array_equal(asked, np.full([2, 1, 1], -1))
    window = history(parsed)
    target = tf.constant([[1, 2], [1, 2]])
    tables = aged.movie_tables()
    shown = rate(aged, tables, window, target, 5)
    told = rate(aged, tables, window._replace(asked=tf.fill([2, 1, 1], NEWEST)), target, 5)
    np.testing.assert_array_equal(shown, told)
