"""The strength of pairs of features, by numpy one pair at a time and where it is known."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.experiments.strengths import pair_effects, strengths

CROSSED = {"cross_layers": 2, "rating_cross_layers": 2}


@pytest.fixture(scope="module", params=[True, False], ids=["ordered", "set"])
def model(request, make_model):
    return make_model(request.param, **CROSSED)


@pytest.fixture(scope="module")
def windows(make_facts, make_window):
    """Two, padded at the end."""
    return [make_window(make_facts(), lengths, seed) for seed, lengths in enumerate([[6, 2], [4]])]


def _expected(rows, kernel, outward):
    """What each pair of blocks adds to the outcome of each row."""
    count, parts, width = rows.shape
    found = np.zeros([count, parts, parts, outward.shape[1]])
    for i, j in np.ndindex(parts, parts):
        for a, b in {(i, j), (j, i)}:
            into, to = slice(b * width, (b + 1) * width), slice(a * width, (a + 1) * width)
            found[:, i, j] += (rows[:, a] * (rows[:, b] @ kernel[into, to])) @ outward[to]
    return found


def test_effects_are_those_of_one_block_at_a_time_and_add_up_to_all():
    rng = np.random.default_rng(0)
    rows, kernel = rng.normal(size=[5, 3, 2]), rng.normal(size=[6, 6])
    outward = rng.normal(size=[6, 4])
    found = pair_effects(*(tf.constant(x, tf.float32) for x in (rows, kernel, outward))).numpy()
    np.testing.assert_allclose(found, _expected(rows, kernel, outward), rtol=1e-4, atol=1e-4)
    flat = rows.reshape(5, 6)
    whole = (flat * (flat @ kernel)) @ outward
    upper = np.triu(np.ones([3, 3]))[..., np.newaxis]
    np.testing.assert_allclose((found * upper).sum((1, 2)), whole, rtol=1e-4, atol=1e-4)


def test_independent_parts_of_one_scale_are_as_strong_as_the_papers_norm_says():
    rng = np.random.default_rng(1)
    rows, kernel = rng.normal(size=[50_000, 3, 2]), np.triu(rng.normal(size=[6, 6]))
    identity = tf.eye(6)
    effects = pair_effects(tf.constant(rows, tf.float32), tf.constant(kernel, tf.float32), identity)
    found = np.sqrt((effects.numpy() ** 2).sum(-1).mean(0))
    for i, j in ((0, 1), (0, 2), (1, 2)):  # the blocks below the diagonal are zero
        block = kernel[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        assert found[i, j] == pytest.approx(np.linalg.norm(block), rel=0.03)


def test_strengths_are_in_shares_of_the_vectors(model, windows):
    found = strengths(model, windows)
    assert list(found) == ["candidate", "query", "rating"]
    assert found["candidate"]["parts"] == ["movie id", "genres", "year"]
    assert found["query"]["parts"] == ["history", "user id", "gender", "age"]
    assert found["rating"]["parts"] == [
        "history", "gender", "age", "movie id", "genres", "year",
    ]  # fmt: skip
    json.dumps(found, allow_nan=False)
    tables, squares, length = model.movie_tables(), [], []
    kernel, outward = model.combine_movie.kernel().numpy(), model.combine_movie.outward().numpy()
    for window in windows:
        movies = window.movie.numpy()[window.present.numpy() > 0]
        rows = np.stack([part.numpy()[movies] for part in model.movies.parts(model.facts)], 1)
        squares.append((_expected(rows, kernel, outward) ** 2).sum(-1))
        length.append((tables.vectors.numpy()[movies] ** 2).sum(-1))
    expected = np.sqrt(np.concatenate(squares).mean(0) / np.concatenate(length).mean())
    np.testing.assert_allclose(found["candidate"]["strength"], expected, rtol=1e-3, atol=1e-4)


def test_a_part_that_is_not_crossed_has_no_strength_and_the_others_keep_theirs(model, windows):
    crosses = model.rating_head.interaction
    before_it = np.array(strengths(model, windows)["rating"]["strength"])
    kept = {variable.ref(): variable.numpy() for variable in crosses.variables}
    width = crosses.width
    for layer in crosses.stack:
        narrow, wide = layer._dense_u.kernel, layer._dense_v.kernel
        mask = np.ones(narrow.shape, np.float32)
        mask[:width] = 0  # nothing multiplies by the history ...
        narrow.assign(narrow * mask)
        mask = np.ones(wide.shape, np.float32)
        mask[:, :width] = 0  # ... nor is the history multiplied by anything
        wide.assign(wide * mask)
    after = np.array(strengths(model, windows)["rating"]["strength"])
    for variable in crosses.variables:
        variable.assign(kept[variable.ref()])
    assert before_it[0].min() > 1e-3
    np.testing.assert_array_equal(after[0], 0)
    np.testing.assert_allclose(after[1:, 1:], before_it[1:, 1:], rtol=1e-3)


def test_queries_are_measured_where_training_asks_them(model, windows):
    """Changing what no position may read, its own last event, changes no strength."""
    window = windows[1]  # one user, no padding
    last = tf.one_hot([3], 4)
    read = float(tf.reduce_sum(model.moments(window).visible[..., 3]))
    told = strengths(model, [window._replace(rating=window.rating - 2.0 * last)])
    plain = strengths(model, [window])
    same = np.allclose(told["query"]["strength"], plain["query"]["strength"], rtol=1e-6)
    assert same == (read == 0) == model.ordered


def test_what_is_off_or_no_number_is_left_out(make_model, windows):
    assert strengths(make_model(True), windows) == {}
    assert list(strengths(make_model(True, cross_layers=1), windows)) == ["candidate", "query"]
    broken = make_model(True, rating_cross_layers=1, cross_layers=1)
    broken.movies.ids.assign(np.nan * broken.movies.ids)
    assert list(strengths(broken, windows)) == ["rating"]
