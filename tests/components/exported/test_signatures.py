"""The served signatures against numpy, and against what evaluation computes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.exported.choosing import blend
from components.exported.groups import aggregate
from components.exported.module import ExportedRecommender
from components.model import scoring
from components.model.linear import LinearPath
from components.model.window import Window

REACH, MOVIES = 6, 12
HISTORY = [("m1", 5.0), ("m7", 2.0), ("m3", 4.5)]
EMPTY: dict[str, list[list[str]]] = {"history_movie_id": [[]], "history_rating": [[]]}


@pytest.fixture(scope="module", params=[True, False], ids=["ordered", "set"])
def model(request, make_model, valued_facts):
    return make_model(request.param, valued_facts)


@pytest.fixture(scope="module")
def module(model, make_lookup, stored):
    return ExportedRecommender(model, make_lookup(model.facts), REACH, stored)


@pytest.fixture(scope="module")
def call(module):
    """Calls a signature with plain lists; left-out inputs have their defaults."""

    def ask(name, **inputs):
        function = module.functions[name]
        specs = {spec.name: spec for spec in function.input_signature}
        given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in function(**given).items()}

    return ask


def _history(events=HISTORY, rows=1):
    return {
        "history_movie_id": [[movie for movie, _ in events]] * rows,
        "history_rating": [[rating for _, rating in events]] * rows,
    }


def _scores(model, user, features, movies, ratings):
    """Scores and ratings of every movie, straight from the trained model."""
    window = Window(
        tf.constant([user]), tf.constant([features]), tf.constant([movies], tf.int32),
        tf.constant([ratings], tf.float32), tf.ones([1, len(movies)]), tf.ones([1, len(movies)]),
        tf.range(len(movies))[tf.newaxis], tf.zeros([1, 1, 0], tf.int32),
    )  # fmt: skip
    tables = model.movie_tables()
    every = tf.range(MOVIES)[tf.newaxis]
    scores = scoring.score(model, tables, window, REACH).model
    return scores.numpy()[0], scoring.rate(model, tables, window, every, REACH).numpy()[0]


def _ids(found, row=0):
    return [movie.decode() for movie in found["movie_id"][row] if movie]


def test_a_user_known_by_id_alone_has_the_stored_history_and_features(model, call):
    scores, ratings = _scores(model, 0, [1, 0], [2, 7, 4], [4.0, 1.5, 5.0])
    for signature, more in (("recommend", {**EMPTY, "k": 4}), ("recommend_filtered", {"k": [4]})):
        found = call(signature, user_id=["u0"], **more)
        scores[[2, 7, 4]] = -np.inf
        best = np.argsort(-scores, kind="stable")[:4]
        assert _ids(found) == [f"m{i}" for i in best]
        np.testing.assert_allclose(found["score"][0], scores[best], atol=1e-5)
        np.testing.assert_allclose(found["rating"][0], ratings[best], atol=1e-5)
        assert found["source"].tolist() == [b"user"]


def test_a_given_history_replaces_the_stored_one_and_given_features_too(model, call):
    _, ratings = _scores(model, 0, [0, 1], [1, 7, 3], [5.0, 2.0, 4.5])
    found = call(
        "rate_as", user_id=["u0"], gender=["F"], age=["of no such age"],
        movie_id=[[f"m{i}" for i in range(MOVIES)]], **_history(),
    )  # fmt: skip
    np.testing.assert_allclose(found["rating"][0], ratings, atol=1e-5)


def test_what_the_example_says_and_what_is_served_by_id_agree(call, example, module):
    """The Example holds the stored user: evaluation and serving give the same numbers."""
    asked = example(
        user_id="u0", gender="M", age="25-34", movie_id=["m5"], rating=[3.0],
        history_movie_id=["m2", "m7", "m4"], history_rating=[4.0, 1.5, 5.0],
    )  # fmt: skip
    judged = module.functions["evaluate"](tf.constant([asked]))
    listed = _ids(call("recommend_filtered", user_id=["u0"], k=[MOVIES]))
    assert float(judged["rank"][0]) == 1 + listed.index("m5")
    rated = call("rate_as", user_id=["u0"], movie_id=[["m5"]])["rating"][0, 0]
    assert rated == pytest.approx(float(judged["rating"][0]), abs=1e-5)


def test_evaluation_knows_nothing_of_the_stored_users(model, module, make_lookup, example):
    asked = tf.constant([
        example(user_id=user, movie_id=["m2"], rating=[4.0], history_movie_id=[],
                history_rating=[])
        for user in ("u0", "u1", "nobody")
    ])  # fmt: skip
    bare = ExportedRecommender(model, make_lookup(model.facts), REACH)
    expected = bare.functions["evaluate"](asked)
    for name, value in module.functions["evaluate"](asked).items():
        np.testing.assert_array_equal(value, expected[name])


def test_the_answer_says_what_it_comes_from(call):
    found = call(
        "recommend", user_id=["u0", "u3", "new", "nobody", "nobody"], k=3,
        history_movie_id=[[""], [""], [""], ["m1"], ["of no such id"]], history_rating=[[5.0]] * 5,
    )  # fmt: skip
    assert found["source"].tolist() == [b"user", b"user", b"user", b"history", b"popularity"]
    assert _ids(found, 4) == ["m0", "m1", "m2"]  # the most rated ones


def test_titles_stand_for_ids_unless_two_movies_share_one(call):
    by_id = call("recommend", user_id=[""], **_history(), k=5)
    titled = [("Film 1", 5.0), ("Film 7", 2.0), ("Film 10", 1.0), ("Film 3", 4.5)]
    by_title = call("recommend", user_id=[""], **_history(titled), k=5)
    assert _ids(by_title) == _ids(by_id)


def test_ratings_off_the_scale_are_brought_into_it(call):
    plain = call("recommend", user_id=[""], **_history(), k=5)
    wild = [("m1", 1e9), ("m7", 2.0), ("m3", 4.5)]
    found = call("recommend", user_id=[""], **_history(wild), k=5)
    np.testing.assert_allclose(found["score"], plain["score"], atol=1e-5)


def test_what_is_no_number_was_seen_and_not_rated(model, call):
    given = [("m1", 5.0), ("m5", float("nan")), ("m3", 4.5)]
    found = call("recommend", user_id=[""], **_history(given), k=MOVIES)
    assert len(_ids(found)) == MOVIES - 3 and "m5" not in _ids(found)
    window = Window(
        tf.constant([4]), tf.constant([[2, 1]]), tf.constant([[1, 5, 3]]),
        tf.constant([[5.0, 0.0, 4.5]]), tf.ones([1, 3]), tf.constant([[1.0, 0.0, 1.0]]),
        tf.range(3)[tf.newaxis], tf.zeros([1, 1, 0], tf.int32),
    )  # fmt: skip
    scores = scoring.score(model, model.movie_tables(), window, REACH).model.numpy()[0]
    best = [int(movie[1:]) for movie in _ids(found)]
    np.testing.assert_allclose(found["score"][0, : MOVIES - 3], scores[best], atol=1e-5)


def test_filters_leave_only_what_fits(model, call):
    every = _ids(call("recommend_filtered", **_history(), k=[MOVIES]))
    assert len(every) == 9

    def kept(**wishes):
        return _ids(call("recommend_filtered", **_history(), k=[MOVIES], **wishes))

    number = {movie: int(movie[1:]) for movie in every}
    assert kept(genres=[["Comedy"]]) == [m for m in every if number[m] % 3 == 1]
    assert kept(genres=[["Comedy", "Drama", ""]]) == [m for m in every if number[m] % 3 < 2]
    assert kept(genres=[["Western"]]) == []
    assert kept(having=[["genres=Comedy"]]) == kept(genres=[["Comedy"]])
    assert kept(having=[["studio=A24", ""]]) == []
    assert kept(year_from=[1995]) == [m for m in every if number[m] >= 5]
    assert kept(year_to=[1995]) == [m for m in every if 0 < number[m] <= 5]
    assert kept(exclude_movie_id=[["m0", "Film 5", "gone"]]) == [
        m for m in every if number[m] not in (0, 5)
    ]
    seen = kept(keep_seen=[True])
    assert len(seen) == MOVIES and [m for m in seen if m in every] == every


def test_every_row_has_its_own_wishes(call):
    found = call(
        "recommend_filtered", user_id=["u0", "nobody", "u1"], k=[1, 4, 2],
        genres=[[""], ["Drama"], [""]], keep_seen=[True, False, False], mix=[0.0, 0.0, 1.0],
    )  # fmt: skip
    assert found["movie_id"].shape == (3, 4)
    assert [len(_ids(found, row)) for row in range(3)] == [1, 4, 2]
    for row, (user, wishes) in enumerate([
        ("u0", {"k": [1], "keep_seen": [True]}),
        ("nobody", {"k": [4], "genres": [["Drama"]]}),
        ("u1", {"k": [2], "mix": [1.0]}),
    ]):  # fmt: skip
        alone = call("recommend_filtered", user_id=[user], **wishes)
        assert _ids(alone) == _ids(found, row)
    assert np.isnan(found["rating"][0, 1:]).all() and np.isinf(found["score"][0, 1:]).all()


def test_two_stages_order_what_was_retrieved(model, call):
    scores, ratings = _scores(model, 4, [2, 1], [1, 7, 3], [5.0, 2.0, 4.5])
    scores[[1, 7, 3]] = -np.inf
    retrieved = np.argsort(-scores, kind="stable")[:6]
    liked = retrieved[np.argsort(-ratings[retrieved], kind="stable")]
    found = call("recommend_filtered", **_history(), k=[4], mix=[1.0], retrieve=[6])
    assert _ids(found) == [f"m{i}" for i in liked[:4]]

    def z(values):
        return (values - values.mean()) / values.std()

    half = 0.3 * z(scores[retrieved]) + 0.7 * z(ratings[retrieved])
    found = call("recommend_filtered", **_history(), k=[6], mix=[0.7], retrieve=[6])
    assert _ids(found) == [f"m{i}" for i in retrieved[np.argsort(-half, kind="stable")]]


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_a_blend_of_nothing_but_one_head_is_that_heads_order(count, seed):
    rng = np.random.default_rng(seed)
    scores, ratings = rng.normal(size=[2, 1, count]).astype(np.float32)
    by_rating = blend(tf.constant(scores), tf.constant(ratings), tf.constant([1.0])).numpy()
    assert np.argsort(-by_rating).tolist() == np.argsort(-ratings).tolist()
    by_score = blend(tf.constant(scores), tf.constant(ratings), tf.constant([0.0])).numpy()
    np.testing.assert_array_equal(by_score, scores)


def test_rank_orders_the_callers_candidates(model, call):
    _, ratings = _scores(model, 4, [2, 1], [1, 7, 3], [5.0, 2.0, 4.5])
    asked = ["m4", "lost", "m1", "m9"]
    found = call("rank", movie_id=[asked], **_history())
    expected = sorted(["m4", "m1", "m9"], key=lambda m: -ratings[int(m[1:])])
    assert _ids(found) == expected  # what was seen may be asked for
    assert found["movie_id"][0, 3] == b"" and np.isnan(found["rating"][0, 3])


@pytest.mark.parametrize("signature", ["rate", "rate_as"])
def test_an_unknown_movie_has_no_rating(call, signature):
    moment = {"user_id": ["u0"], **_history()} if signature == "rate" else {}
    found = call(signature, movie_id=[["m1", "lost"]], **moment)
    assert found["known"].tolist() == [[True, False]]
    assert np.isfinite(found["rating"][0, 0]) and np.isnan(found["rating"][0, 1])


@given(st.data())
def test_a_group_comes_to_what_its_rule_says(data):
    people, movies = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(size=[1, people, movies]).astype(np.float32)
    weights = rng.integers(0, 3, [1, people]).astype(np.float32)
    weights[0, 0] += 1.0
    there = values[:, weights[0] > 0]
    expected = {
        "mean": np.average(values, 1, weights[0]),
        "least_misery": there.min(1),
        "most_pleasure": there.max(1),
    }
    for rule, value in expected.items():
        found = aggregate(tf.constant(values), tf.constant(weights), tf.constant([rule]))
        np.testing.assert_allclose(found, value, atol=1e-5)


def test_a_group_sees_nothing_that_one_of_them_has_seen_and_its_weights_count(call):
    one, other = [("m1", 5.0), ("m7", 2.0)], [("m3", 4.5), ("m8", 1.0)]
    people = {
        "history_movie_id": [[[m for m, _ in one], [m for m, _ in other]]],
        "history_rating": [[[r for _, r in one], [r for _, r in other]]],
    }
    both = call("recommend_group", **people, k=[MOVIES])
    assert set(_ids(both)) == {f"m{i}" for i in range(MOVIES)} - {"m1", "m7", "m3", "m8"}
    alone = call("recommend_group", **people, k=[MOVIES], weights=[[1.0, 0.0]])
    single = call("recommend_filtered", **_history(one), k=[MOVIES])
    assert _ids(alone) == _ids(single)
    rated = call("rate_as", movie_id=[_ids(both)], **_history(other))
    np.testing.assert_allclose(both["person_rating"][0, : len(_ids(both)), 1], rated["rating"][0],
                               atol=1e-5)  # fmt: skip
    assert both["source"].tolist() == [[b"history", b"history"]]


def test_an_unknown_rule_is_refused(call):
    with pytest.raises(tf.errors.InvalidArgumentError, match="least_misery"):
        call("recommend_group", rule=["loudest"])


def _standard(values):
    """In standard deviations from the mean, movie 5 itself left out."""
    others = np.delete(values, 5)
    spread = np.maximum(others.std(), 1e-9)
    return np.where(np.arange(len(values)) == 5, -np.inf, (values - others.mean()) / spread)


def test_similar_movies_point_the_same_way(model, call):
    vectors = model.movie_tables().vectors.numpy()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    score = _standard(unit @ unit[5])
    best = np.argsort(-score, kind="stable")[:3]
    found = call("similar", movie_id=["Film 5", "lost"], k=[3])
    assert _ids(found) == [f"m{i}" for i in best]
    np.testing.assert_allclose(found["score"][0], score[best], atol=1e-4)
    assert found["known"].tolist() == [True, False] and _ids(found, 1) == []


def test_similar_movies_are_watched_together(make_model, make_lookup, valued_facts, stored):
    """Movies 2 to 7 are on the path; 5 leads to 3, and 6 to 5."""
    model = make_model(True, valued_facts)
    covered, between = np.arange(2, 8, dtype=np.int32), np.zeros([6, 6], np.float32)
    between[3, 1], between[4, 3] = 0.4, 0.7
    model.linear = LinearPath(MOVIES, covered, between)
    functions = ExportedRecommender(model, make_lookup(model.facts), REACH, stored).functions

    def asked(movie):
        return functions["similar"](movie_id=tf.constant([movie]), k=tf.constant([MOVIES]))

    vectors = model.movie_tables().vectors.numpy()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    together = np.zeros(MOVIES)
    together[[3, 6]] = 0.4, 0.7
    score = _standard(unit @ unit[5]) + _standard(together)
    best = np.argsort(-score, kind="stable")[: MOVIES - 1]
    found = {name: value.numpy() for name, value in asked("m5").items()}
    assert _ids(found) == [f"m{i}" for i in best] and best[0] == 6
    uncovered = _ids({name: value.numpy() for name, value in asked("m0").items()})
    assert uncovered == [f"m{i}" for i in np.argsort(-(unit @ unit[0]), kind="stable") if i != 0]


def test_an_explanation_is_the_difference_that_an_event_makes(model, call):
    def chance(events):
        rows, ratings = [int(m[1:]) for m, _ in events], [r for _, r in events]
        scores, rated = _scores(model, 4, [2, 1], rows, ratings)
        return scores[5] - np.log(np.exp(scores).sum()), rated[5]

    whole = chance(HISTORY)
    effects = {}
    for i, (movie, _) in enumerate(HISTORY):
        left = chance([event for j, event in enumerate(HISTORY) if j != i])
        effects[movie] = (whole[0] - left[0], whole[1] - left[1])
    found = call("explain", movie_id=["m5"], **_history([("lost", 1.0), *HISTORY]))
    order = sorted(effects, key=lambda movie: -effects[movie][0])
    assert [m.decode() for m in found["history_movie_id"][0] if m] == order
    told = np.stack([found["effect"][0, :3], found["rating_effect"][0, :3]], 1)
    np.testing.assert_allclose(told, [effects[m] for m in order], atol=1e-5)
    assert not found["effect"][0, 3:].any()


def test_the_stored_history_is_told_newest_first(call):
    found = call("history", user_id=["u0", "new", "u1", "nobody"])
    assert [_ids(found, row) for row in range(4)] == [["m4", "m7", "m2"], ["m9", "m1"], [], []]
    assert found["rating"][0].tolist() == [5.0, 1.5, 4.0]
    assert found["known"].tolist() == [True, True, True, False]
