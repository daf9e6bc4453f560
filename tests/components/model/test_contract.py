"""What every form of the model must keep, ordered or set, rated or not, whatever it learned."""

import numpy as np
import pytest
import tensorflow as tf

from components.model import recommender, scoring
from components.model.window import Window, before, others

REACH = 20
MOVIES = 12
CLOSE = {"atol": 1e-5, "rtol": 1e-5}
CROSSED = {"cross_layers": 2, "rating_cross_layers": 2}
FORMS = {
    "ordered": (True, "all", {}),
    "set": (False, "all", {}),
    "ordered, crossed": (True, "all", CROSSED),
    "set, crossed": (False, "all", CROSSED),
    "ordered, some rated": (True, "some", {}),
    "set, some rated": (False, "some", {}),
    "ordered, none rated": (True, "none", CROSSED),
    "set, none rated": (False, "none", CROSSED),
}


@pytest.fixture(scope="module", params=FORMS.values(), ids=FORMS)
def model(request, make_model, make_facts):
    ordered, rated, settings = request.param
    return make_model(ordered, make_facts(rated=rated), **settings)


@pytest.fixture(scope="module")
def partly(make_facts, make_model):
    """Models of train events of which some are rated, by whether order counts."""
    return {ordered: make_model(ordered, make_facts(rated="some")) for ordered in (True, False)}


@pytest.fixture
def window(model, make_window):
    """Four histories, padded at the front as in serving."""
    return make_window(model.facts, [6, 2, 0, 9], seed=1, front=True)


def _answers(model, window, reach=REACH):
    """Scores of every movie, and ratings of a model that predicts any."""
    tables = model.movie_tables()
    batch = tf.shape(window.movie)[0]
    target = tf.tile(tf.range(MOVIES)[tf.newaxis], [batch, 1])
    found = [scoring.score(model, tables, window, reach).model]
    if model.facts.rates:
        found.append(scoring.rate(model, tables, window, target, reach))
    return np.stack(found)


def _rows(window, rows):
    return Window(*(tf.gather(tensor, rows) for tensor in window))


def _pad(window, front=0, back=0):
    """Adds padding; what it holds must not matter, so it holds the worst."""
    sides = [[0, 0], [front, back]]
    return window._replace(
        movie=tf.pad(window.movie, sides, constant_values=MOVIES - 1),
        rating=tf.pad(window.rating, sides, constant_values=4.5),
        present=tf.pad(window.present, sides),
        rated=tf.pad(window.rated, sides),
        moment=tf.pad(window.moment + front, sides),
    )


def _change(window, position, movie=True):
    """Other movies and ratings from a position on."""
    later = tf.range(tf.shape(window.movie)[1]) >= position
    moved = (window.movie + 5) % MOVIES if movie else window.movie
    return window._replace(
        movie=tf.where(later, moved, window.movie),
        rating=tf.where(later, 5.5 - window.rating, window.rating),
    )


def _change_one(window, position):
    """Another movie and rating at a position."""
    there = tf.range(tf.shape(window.movie)[1]) == position
    return window._replace(
        movie=tf.where(there, (window.movie + 5) % MOVIES, window.movie),
        rating=tf.where(there, 5.5 - window.rating, window.rating),
    )


def _in_order(window, places):
    """The same events at other places; moments stay where they are."""
    names = ("movie", "rating", "present", "rated")
    return window._replace(**{name: tf.gather(getattr(window, name), places, axis=1)
                              for name in names})  # fmt: skip


def _queries(model, window):
    """What each position knows of its user and thinks of some movies, in training's terms."""
    tables = model.movie_tables()
    visible, age = (before if model.ordered else others)(window)
    query = model.query(tables, window, visible, age)
    ratings = [
        model.rate(tables, window, tf.fill(tf.shape(window.movie), movie), visible, age)
        for movie in (0, 5, MOVIES - 1)
    ]
    return np.concatenate([query.numpy(), np.stack(ratings, -1)], -1)


def test_answers_are_numbers_and_differ_between_histories(model, window):
    found = _answers(model, window)
    assert np.isfinite(found).all()
    for row in (1, 2, 3):
        assert np.abs(found[:, row] - found[:, 0]).max(axis=1).min() > 0.01


def test_an_unknown_user_is_served_from_the_history(model, window):
    unknown = tf.fill([4], model.users.unknown)
    found = _answers(model, window._replace(user=unknown))
    assert np.isfinite(found).all()
    assert np.abs(found[0, 0] - found[0, 3]).max() > 0.01


def test_the_users_id_and_features_reach_the_scores(model, window):
    plain = _answers(model, window)[0, 0]
    for changed in (
        window._replace(user=(window.user + 1) % 5),
        window._replace(user_features=(window.user_features + 1) % 2),
    ):
        assert np.abs(_answers(model, changed)[0, 0] - plain).max() > 0.01


def test_a_row_does_not_depend_on_its_batch(model, window):
    whole = _answers(model, window)
    for row in range(4):
        np.testing.assert_allclose(
            _answers(model, _rows(window, [row]))[:, 0], whole[:, row], **CLOSE
        )


def test_padding_at_the_front_changes_nothing(model, window):
    np.testing.assert_allclose(
        _answers(model, _pad(window, front=7)), _answers(model, window), **CLOSE
    )


def test_only_the_newest_events_within_reach_are_read(model, make_window):
    events = ("movie", "rating", "present", "rated")
    window = make_window(model.facts, [9, 7], seed=2)
    window = window._replace(**{name: getattr(window, name)[:, :7] for name in events})
    newest = window._replace(**{name: getattr(window, name)[:, 4:] for name in events})
    near = _answers(model, window, reach=3)
    np.testing.assert_allclose(near, _answers(model, newest), **CLOSE)
    assert np.abs(near - _answers(model, window)).max() > 0.01
    assert scoring.score(model, model.movie_tables(), window, 3).seen.numpy().sum(1).tolist() == [
        7,
        7,
    ]


def test_an_event_that_is_absent_is_not_read(model, window):
    there = tf.constant([1.0] * 8 + [0.0])
    absent = window._replace(present=window.present * there, rated=window.rated * there)
    other = _change(absent, 8)
    np.testing.assert_allclose(_answers(model, other), _answers(model, absent), **CLOSE)


def test_order_counts_only_in_an_ordered_model(model, make_window):
    window = make_window(model.facts, [6, 6], seed=3)
    turned = window._replace(movie=window.movie[:, ::-1], rating=window.rating[:, ::-1],
                             rated=window.rated[:, ::-1])  # fmt: skip
    change = np.abs(_answers(model, window) - _answers(model, turned)).max(axis=(1, 2))
    assert (change > 1e-3).all() if model.ordered else (change < 1e-4).all()


@pytest.mark.parametrize("settings", [{}, CROSSED], ids=["plain", "crossed"])
@pytest.mark.parametrize("movie", [True, False], ids=["movie and rating", "rating alone"])
def test_no_position_of_an_ordered_model_sees_its_own_or_later_events(
    make_model, make_facts, make_window, movie, settings
):
    model, window = make_model(True, **settings), make_window(make_facts(), [8, 5], seed=4)
    plain = _queries(model, window)
    for position in range(8):
        changed = np.abs(_queries(model, _change(window, position, movie)) - plain).max(-1)
        assert changed[:, : position + 1].max() < 1e-5
        if position < 4:  # what follows does see it, or the test would prove nothing
            assert changed[:, position + 1].min() > 1e-3


@pytest.mark.parametrize("settings", [{}, CROSSED], ids=["plain", "crossed"])
def test_events_of_one_moment_do_not_see_each_other(make_model, make_facts, make_window, settings):
    """Whatever one of them is and wherever it stands there, the others' queries are the same."""
    model, window = make_model(True, **settings), make_window(make_facts(), [8, 8], seed=4)
    window = window._replace(moment=tf.constant([[0, 1, 2, 2, 2, 5, 5, 7]] * 2))
    plain = _queries(model, window)
    for position, tied in ((2, (2, 5)), (3, (2, 5)), (4, (2, 5)), (5, (5, 7)), (6, (5, 7))):
        changed = np.abs(_queries(model, _change_one(window, position)) - plain).max(-1)
        assert changed[:, : tied[1]].max() < 1e-5
        assert changed[:, tied[1]].min() > 1e-3  # what follows does see it
    for first, last in ((2, 5), (5, 7)):
        assert np.abs(plain[:, first:last] - plain[:, first : first + 1]).max() < 1e-5
    turned = _queries(model, _in_order(window, [0, 1, 4, 2, 3, 5, 6, 7]))
    np.testing.assert_allclose(turned[:, :5], plain[:, :5], **CLOSE)


def test_a_lone_moment_reads_as_if_it_stood_there_alone(make_model, make_facts, make_window):
    """What a tied event sees, and how old it is, is what it would be without its company."""
    model, window = make_model(True), make_window(make_facts(), [6], seed=8)
    tied = window._replace(moment=tf.constant([[0, 1, 2, 2, 2, 2]]))
    cut = ("movie", "rating", "present", "rated", "moment")
    alone = window._replace(**{name: getattr(window, name)[:, :3] for name in cut})
    expected = _queries(model, alone)[:, 2:3]
    np.testing.assert_allclose(_queries(model, tied)[:, 2:], np.tile(expected, [1, 4, 1]), **CLOSE)


@pytest.mark.parametrize("settings", [{}, CROSSED], ids=["plain", "crossed"])
def test_no_rating_of_a_set_is_predicted_from_itself(make_model, make_facts, make_window, settings):
    model, window = make_model(False, **settings), make_window(make_facts(), [8, 5], seed=4)
    plain = _queries(model, window)
    for position in range(5):
        told = tf.one_hot(tf.fill([2], position), 8)
        changed = _queries(model, window._replace(rating=window.rating + told))
        difference = np.abs(changed - plain).max(-1)
        assert difference[:, position].max() < 1e-5
        assert np.delete(difference, position, 1).min() > 1e-4


def test_hidden_movies_do_not_leak(model, make_window, monkeypatch):
    """A retrieval target's rating may reach no query that is asked for it."""
    window = make_window(model.facts, [8, 8], seed=5)
    hidden = tf.constant([[0.0, 1.0] * 4] * 2)
    monkeypatch.setattr(recommender, "hide", lambda present, share: hidden * present)
    last = tf.cast(tf.range(8) == 7, tf.float32)
    unseen = last if model.ordered else hidden
    plain = model.losses_per_task(window, training=False)["retrieval"]
    told = window._replace(rating=window.rating + unseen)
    assert float(model.losses_per_task(told, training=False)["retrieval"]) == pytest.approx(
        float(plain), abs=1e-5
    )
    told = window._replace(rating=window.rating + 1.0 - unseen)
    change = abs(float(model.losses_per_task(told, training=False)["retrieval"]) - float(plain))
    assert change > 1e-3 if model.facts.rates else change == 0


def test_the_hidden_share_is_what_the_configuration_says():
    present = tf.concat([tf.ones([200, 50]), tf.zeros([200, 10])], 1)
    hidden = recommender.hide(present, 0.4).numpy()
    assert not hidden[:, 50:].any()
    assert hidden[:, :50].mean() == pytest.approx(0.4, abs=0.02)


def test_the_loss_depends_on_neither_batch_size_nor_padding(model, make_window, monkeypatch):
    def every_second(present, share):
        return present * tf.cast(tf.range(tf.shape(present)[1]) % 2, tf.float32)

    monkeypatch.setattr(recommender, "hide", every_second)
    window = make_window(model.facts, [8, 3, 5], seed=6)
    apart = 0.01 * tf.range(8, dtype=tf.float32)  # equal ratings would be ordered by chance
    window = window._replace(rating=(window.rating + apart) * window.present)
    twice = Window(*(tf.concat([tensor, tensor], 0) for tensor in window))
    plain = model.losses_per_task(window, training=False)
    for same in (twice, _pad(window, back=6)):
        for task, loss in model.losses_per_task(same, training=False).items():
            assert float(loss) == pytest.approx(float(plain[task]), rel=1e-4), task


@pytest.mark.parametrize("lengths", [[5, 2], [1], [1, 0], [12]])
def test_loss_and_gradients_are_numbers(model, make_window, lengths):
    window = make_window(model.facts, lengths, seed=7)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(window, training=True)
    assert np.isfinite(float(loss))
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
    for variable, gradient in zip(variables, gradients, strict=True):
        assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all(), variable.name


def test_every_weight_learns(model, make_window):
    """No weight is left out of the graph: each has a gradient in some of many steps."""
    moved = {variable.ref(): 0.0 for variable in model.trainable_variables}
    for seed in range(5):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(make_window(model.facts, [9, 7, 4], seed), training=True)
        found = tape.gradient(loss, model.trainable_variables, unconnected_gradients="zero")
        for variable, gradient in zip(model.trainable_variables, found, strict=True):
            moved[variable.ref()] += float(tf.reduce_sum(tf.abs(tf.convert_to_tensor(gradient))))
    assert not [ref.deref().name for ref, change in moved.items() if not change > 0]


def test_task_weights_weigh_the_tasks(make_model, make_facts, make_window):
    window = make_window(make_facts(), [6, 4], seed=8)
    weighed = make_model(True, retrieval_weight=2.0, rating_weight=3.0)
    losses = weighed.losses_per_task(window, training=False)
    expected = 2.0 * float(losses["retrieval"]) + 3.0 * float(losses["rating"])
    assert float(weighed.compute_loss(window)) == pytest.approx(expected, rel=1e-5)


def test_a_movie_nobody_rated_stands_by_its_features(model):
    """The last two movies share out-of-vocabulary rows with none of the rated ones."""
    vectors = model.movie_tables()["vectors"].numpy()
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors.round(5), axis=0)) == MOVIES


def test_every_weight_belongs_to_one_task(model):
    """Each task keeps the weights of its own best epoch: that is sound only if they share none."""
    held = [variable.ref() for part in model.parts().values() for variable in part]
    assert len(held) == len(set(held)) == len(model.variables)


def test_the_tasks_share_no_weights(model, make_window):
    for task in model.losses_per_task(make_window(model.facts, [9, 7], 3), training=False):
        with tf.GradientTape() as tape:
            loss = model.losses_per_task(make_window(model.facts, [9, 7], 3), training=True)[task]
        others = [own for part, own in model.parts().items() if part != f"valid_{task}"]
        variables = [variable for own in others for variable in own if variable.trainable]
        assert bool(variables) == model.facts.rates
        assert all(gradient is None for gradient in tape.gradient(loss, variables))


def test_without_ratings_there_is_no_rating_head(make_model, make_facts, make_window):
    model = make_model(True, make_facts(rated="none"))
    window = make_window(model.facts, [6, 4], seed=8)
    assert set(model.losses_per_task(window, training=False)) == {"retrieval"}
    assert model.parts().keys() == {"valid_retrieval"} and model.averaged() == []
    assert not [name for name in model.movie_tables() if "rating" in name]
    assert not [variable.name for variable in model.variables if "rating" in variable.name]
    told = window._replace(rating=window.rating + 4.0, rated=window.present)  # a constant is none
    np.testing.assert_array_equal(_answers(model, told), _answers(model, window))


def test_the_rating_of_an_event_that_is_not_rated_is_never_read(model, make_window):
    window = make_window(model.facts, [9, 5], seed=11)
    apart = 0.01 * tf.range(9, dtype=tf.float32)  # equal ratings would be ordered by chance
    window = window._replace(rating=(window.rating + apart) * window.rated)
    wild = window._replace(rating=tf.where(window.rated > 0, window.rating, 1e3))
    np.testing.assert_array_equal(_answers(model, wild), _answers(model, window))
    if "rating" in model.losses_per_task(window, training=False) and model.ordered:
        plain, told = (model.losses_per_task(x, training=False)["rating"] for x in (window, wild))
        np.testing.assert_array_equal(plain, told)


@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "set"])
def test_seen_but_not_rated_is_no_rating_at_all(partly, make_window, ordered):
    """Its score is that of no rating on the scale, and its rating is not foreseen."""
    model = partly[ordered]
    window = make_window(model.facts, [7, 7], seed=12)
    newest = tf.one_hot([6, 6], 7)
    unrated = window._replace(rated=window.rated * (1 - newest))
    plain = _answers(model, unrated)
    for rating in np.arange(0, 5.5, 0.5, np.float32):
        given = window._replace(rating=window.rating * (1 - newest) + rating * newest)
        assert np.abs(_answers(model, given)[0] - plain[0]).max(1).min() > 1e-3
    gone = unrated._replace(present=window.present * (1 - newest))
    assert np.abs(_answers(model, gone)[0] - plain[0]).max(1).min() > 1e-3
    if not ordered:  # in an ordered model it makes what came before one event older
        np.testing.assert_allclose(_answers(model, gone)[1], plain[1], **CLOSE)


def test_every_event_is_found_and_those_that_are_rated_are_foreseen(partly, make_window):
    model, window = partly[True], make_window(partly[True].facts, [9], seed=13)
    assert 0 < float(tf.reduce_sum(window.rated)) < 9
    for place in range(9):
        moved = (window.movie + 5 * tf.one_hot([place], 9, dtype=tf.int32)) % MOVIES
        told = window._replace(movie=moved)
        last = place == 8  # nothing reads it, so its own loss alone can change
        change = {
            task: abs(float(loss) - float(model.losses_per_task(window, training=False)[task]))
            for task, loss in model.losses_per_task(told, training=False).items()
        }
        assert change["retrieval"] > 1e-4
        assert (change["rating"] > 1e-4) == bool(window.rated[0, place]) or not last


def test_what_train_never_left_unrated_counts_as_rated_with_the_mean(make_model, make_window):
    model = make_model(True)
    window = make_window(model.facts, [7, 7], seed=14)
    unrated = window._replace(rated=0 * window.rated)
    mean = window._replace(rating=0 * window.rating + model.facts.mean)
    np.testing.assert_allclose(_answers(model, unrated)[0], _answers(model, mean)[0], **CLOSE)
