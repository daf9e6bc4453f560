"""What every model must keep, whatever it is made of and whatever it learned."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.model import scoring
from components.model.tables import MovieTables
from components.model.weights import weight_name
from components.model.window import Window

REACH = 20
MOVIES = 12
CLOSE: dict[str, Any] = {"atol": 1e-5, "rtol": 1e-5}


def answers(model, window, reach=REACH):
    """Scores of every movie, and ratings of a model that predicts any: [1 or 2, batch, movies]."""
    tables = model.movie_tables()
    batch = tf.shape(window.movie)[0]
    target = tf.tile(tf.range(MOVIES)[tf.newaxis], [batch, 1])
    found = [scoring.score(model, tables, window, reach).model]
    if model.facts.rates:
        found.append(scoring.rate(model, tables, window, target, reach))
    return np.stack(found)


def padded(window, front=0, back=0):
    """Adds padding; what it holds must not matter, so it holds the worst."""
    sides = [[0, 0], [front, back]]
    return window._replace(
        movie=tf.pad(window.movie, sides, constant_values=MOVIES - 1),
        rating=tf.pad(window.rating, sides, constant_values=4.5),
        present=tf.pad(window.present, sides),
        rated=tf.pad(window.rated, sides),
        moment=tf.pad(window.moment + front, sides),
    )


class ModelContract:
    """Tests of a `Model`; the module of a subclass has a fixture `model`, its weights drawn."""

    @pytest.fixture
    def window(self, model, make_window):
        """Four histories, padded at the front as in serving."""
        return make_window(model.facts, [6, 2, 0, 9], seed=1, front=True)

    def test_answers_are_numbers_within_the_scale(self, model, window):
        found = answers(model, window)
        assert np.isfinite(found).all()
        if model.facts.rates:
            low, high = model.facts.ends
            assert low <= found[1].min() and found[1].max() <= high

    def test_an_unknown_user_is_served(self, model, window):
        unknown = tf.fill([4], len(model.facts.user_ids))
        assert np.isfinite(answers(model, window._replace(user=unknown))).all()

    def test_of_whom_nothing_is_known_gets_exactly_popularity(self, model, window):
        unknown = tf.fill([4], len(model.facts.user_ids))
        scores = scoring.score(model, model.movie_tables(), window._replace(user=unknown), REACH)
        np.testing.assert_array_equal(scores.known, [True, True, False, True])
        np.testing.assert_array_equal(scores.model[2], model.facts.log_popularity)
        assert np.abs(scores.model[0] - model.facts.log_popularity).max() > 0.01

    def test_what_a_history_holds_is_seen(self, model, window):
        seen = scoring.score(model, model.movie_tables(), window, REACH).seen.numpy()
        for row, movies in enumerate(window.movie.numpy()):
            held = movies[window.present.numpy()[row] > 0]
            assert set(np.flatnonzero(seen[row])) == set(held)

    def test_a_row_does_not_depend_on_its_batch(self, model, window):
        whole = answers(model, window)
        for row in range(4):
            alone = Window(*(tf.gather(tensor, [row]) for tensor in window))
            np.testing.assert_allclose(answers(model, alone)[:, 0], whole[:, row], **CLOSE)

    def test_padding_at_the_front_changes_nothing(self, model, window):
        np.testing.assert_allclose(
            answers(model, padded(window, front=7)), answers(model, window), **CLOSE
        )

    def test_an_event_that_is_absent_is_not_read(self, model, window):
        there = tf.constant([1.0] * 8 + [0.0])
        absent = window._replace(present=window.present * there, rated=window.rated * there)
        last = tf.range(9) == 8
        other = absent._replace(
            movie=tf.where(last, (absent.movie + 5) % MOVIES, absent.movie),
            rating=tf.where(last, 5.5 - absent.rating, absent.rating),
        )
        np.testing.assert_allclose(answers(model, other), answers(model, absent), **CLOSE)

    @pytest.mark.parametrize("lengths", [[5, 2], [1], [1, 0], [12]])
    def test_loss_and_gradients_are_numbers(self, model, make_window, lengths):
        loss, gradients = _gradients(model, make_window(model.facts, lengths, seed=7))
        assert np.isfinite(loss)
        for name, gradient in gradients.items():
            assert np.isfinite(gradient).all(), name

    def test_every_weight_learns(self, model, make_window):
        """No weight is left out of the graph: each has a gradient in some of many steps."""
        moved = dict.fromkeys((weight_name(v) for v in model.trainable_variables), 0.0)
        for seed in range(5):
            window = make_window(model.facts, [9, 7, 4], seed)
            for name, gradient in _gradients(model, window)[1].items():
                moved[name] += np.abs(gradient).sum()
        assert not [name for name, change in moved.items() if not change > 0]

    def test_every_weight_belongs_to_one_task(self, model):
        """Each task keeps the weights of its own best epoch: that is sound if they share none."""
        held = [variable.ref() for own in model.tasks().values() for variable in own]
        assert len(held) == len(set(held)) == len(model.variables)
        assert {v.ref() for v in model.averaged()} <= {v.ref() for v in model.trainable_variables}

    def test_every_weight_has_a_name_of_its_own(self, model):
        """A later training finds it by that name, whatever else its process built."""
        names = [weight_name(variable) for variable in model.variables]
        assert len(names) == len(set(names))
        assert not [name for name in names if name.split("/")[1].startswith("dense")]

    def test_a_movie_knows_what_other_facts_say_of_it(self, model):
        """If two movies had each other's ids and features, they would have each other's rows."""
        turned = np.arange(MOVIES)
        turned[[2, 7]] = turned[[7, 2]]
        facts = model.facts
        other = dataclasses.replace(
            facts,
            id_rows=facts.id_rows[turned],
            features={name: rows[turned] for name, rows in facts.features.items()},
        )
        plain = model.movie_tables().vectors.numpy()
        assert np.abs(plain[2] - plain[7]).max() > 1e-3
        found = model.movie_tables(facts=other).vectors.numpy()
        np.testing.assert_allclose(found, plain[turned], **CLOSE)

    def test_tables_are_found_again_by_their_names(self, model):
        tables = model.movie_tables()
        again = MovieTables.of(tables.by_name())
        assert again.by_name().keys() == tables.by_name().keys()
        assert ("rating" in tables.by_name()) <= model.facts.rates
        for name, table in again.by_name().items():
            np.testing.assert_array_equal(table, tables.by_name()[name])


def _gradients(model, window):
    """The loss of a training step, and each weight's gradient by name."""
    with tf.GradientTape() as tape:
        loss = model.compute_loss(window, training=True)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
    names = map(weight_name, variables)
    dense = [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]
    return float(loss), dict(zip(names, dense, strict=True))
