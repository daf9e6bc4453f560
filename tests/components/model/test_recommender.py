"""What every form of the recommender must keep, ordered or set, rated or not."""

import numpy as np
import pytest
import tensorflow as tf

from components.model import recommender, scoring
from components.model.context import hide
from components.model.window import Window
from tests.components.model.contract import CLOSE, MOVIES, ModelContract, answers, padded

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


@pytest.fixture(scope="module", params=list(FORMS.values()), ids=list(FORMS))
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


class TestRecommender(ModelContract):
    """The contract of every model, by each of the forms."""


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
    tables, context = model.movie_tables(), model.moments(window)
    query = model.query(tables, context)
    ratings = [
        model.rate(tables, context, tf.fill(tf.shape(window.movie), movie))
        for movie in (0, 5, MOVIES - 1)
    ]
    return np.concatenate([query.numpy(), np.stack(ratings, -1)], -1)


def test_answers_differ_between_histories(model, window):
    found = answers(model, window)
    for row in (1, 2, 3):
        assert np.abs(found[:, row] - found[:, 0]).max(axis=1).min() > 0.01


def test_an_unknown_user_is_served_from_the_history(model, window):
    unknown = tf.fill([4], len(model.facts.user_ids))
    found = answers(model, window._replace(user=unknown))
    assert np.abs(found[0, 0] - found[0, 3]).max() > 0.01


def test_the_users_id_and_features_reach_the_scores(model, window):
    plain = answers(model, window)[0, 0]
    for changed in (
        window._replace(user=(window.user + 1) % 5),
        window._replace(user_features=(window.user_features + 1) % 2),
    ):
        assert np.abs(answers(model, changed)[0, 0] - plain).max() > 0.01


def test_only_the_newest_events_within_reach_are_read(model, make_window):
    events = ("movie", "rating", "present", "rated")
    window = make_window(model.facts, [9, 7], seed=2)
    window = window._replace(**{name: getattr(window, name)[:, :7] for name in events})
    newest = window._replace(**{name: getattr(window, name)[:, 4:] for name in events})
    near = answers(model, window, reach=3)
    np.testing.assert_allclose(near, answers(model, newest), **CLOSE)
    assert np.abs(near - answers(model, window)).max() > 0.01
    seen = scoring.score(model, model.movie_tables(), window, 3).seen.numpy()
    assert seen.sum(1).tolist() == [7, 7]


def test_order_counts_only_in_an_ordered_model(model, make_window):
    window = make_window(model.facts, [6, 6], seed=3)
    turned = window._replace(movie=window.movie[:, ::-1], rating=window.rating[:, ::-1],
                             rated=window.rated[:, ::-1])  # fmt: skip
    change = np.abs(answers(model, window) - answers(model, turned)).max(axis=(1, 2))
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
    hidden = hide(present, 0.4).numpy()
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
    for same in (twice, padded(window, back=6)):
        for task, loss in model.losses_per_task(same, training=False).items():
            assert float(loss) == pytest.approx(float(plain[task]), rel=1e-4), task


def test_task_weights_weigh_the_tasks(make_model, make_facts, make_window):
    window = make_window(make_facts(), [6, 4], seed=8)
    weighed = make_model(True, retrieval_weight=2.0, rating_weight=3.0)
    losses = weighed.losses_per_task(window, training=False)
    expected = 2.0 * float(losses["retrieval"]) + 3.0 * float(losses["rating"])
    assert float(weighed.compute_loss(window)) == pytest.approx(expected, rel=1e-5)


def test_a_movie_nobody_rated_stands_by_its_features(model):
    """The last two movies share out-of-vocabulary rows with none of the rated ones."""
    vectors = model.movie_tables().vectors.numpy()
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors.round(5), axis=0)) == MOVIES


def test_the_tasks_share_no_weights(model, make_window):
    for task in model.losses_per_task(make_window(model.facts, [9, 7], 3), training=False):
        with tf.GradientTape() as tape:
            loss = model.losses_per_task(make_window(model.facts, [9, 7], 3), training=True)[task]
        others = [own for part, own in model.tasks().items() if part != f"valid_{task}"]
        variables = [variable for own in others for variable in own if variable.trainable]
        assert bool(variables) == model.facts.rates
        assert all(gradient is None for gradient in tape.gradient(loss, variables))


def test_without_ratings_there_is_no_rating_head(make_model, make_facts, make_window):
    model = make_model(True, make_facts(rated="none"))
    window = make_window(model.facts, [6, 4], seed=8)
    assert set(model.losses_per_task(window, training=False)) == {"retrieval"}
    assert model.tasks().keys() == {"valid_retrieval"} and model.averaged() == []
    assert set(model.movie_tables().by_name()) == {"vectors", "popularity"}
    with pytest.raises(ValueError, match="without ratings"):
        model.rate(model.movie_tables(), model.moments(window), window.movie)
    assert not [variable.name for variable in model.variables if "rating" in variable.name]
    told = window._replace(rating=window.rating + 4.0, rated=window.present)  # a constant is none
    np.testing.assert_array_equal(answers(model, told), answers(model, window))


def test_the_rating_of_an_event_that_is_not_rated_is_never_read(model, make_window):
    window = make_window(model.facts, [9, 5], seed=11)
    apart = 0.01 * tf.range(9, dtype=tf.float32)  # equal ratings would be ordered by chance
    window = window._replace(rating=(window.rating + apart) * window.rated)
    wild = window._replace(rating=tf.where(window.rated > 0, window.rating, 1e3))
    np.testing.assert_array_equal(answers(model, wild), answers(model, window))
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
    plain = answers(model, unrated)
    for rating in np.arange(0, 5.5, 0.5, np.float32):
        given = window._replace(rating=window.rating * (1 - newest) + rating * newest)
        assert np.abs(answers(model, given)[0] - plain[0]).max(1).min() > 1e-3
    gone = unrated._replace(present=window.present * (1 - newest))
    assert np.abs(answers(model, gone)[0] - plain[0]).max(1).min() > 1e-3
    if not ordered:  # in an ordered model it makes what came before one event older
        np.testing.assert_allclose(answers(model, gone)[1], plain[1], **CLOSE)


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
    np.testing.assert_allclose(answers(model, unrated)[0], answers(model, mean)[0], **CLOSE)
