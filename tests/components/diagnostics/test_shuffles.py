"""The groups of inputs: each takes from the model what it says, and nothing else."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.diagnostics.shuffles import Rows, movie_groups, others, user_groups
from components.model.parsing import ParsedExamples

HISTORY = [[1, 2, 3], [], [4, 5], [6, 7, 8, 9], [2]]
OWNERS = np.array([7, 7, 3, 9, 3])


@pytest.fixture
def rows():
    rating = [[float(10 * i + place) for place in range(len(own))] for i, own in enumerate(HISTORY)]
    targets = tf.ragged.constant([[0], [1], [2], [3], [4]])
    examples = ParsedExamples(
        user_id=tf.constant(["a", "a", "b", "c", "b"]),
        user=tf.constant([0, 0, 1, 2, 1]),
        user_features=tf.constant([[0, 5], [0, 5], [1, 6], [2, 7], [1, 6]]),
        movie=targets,
        rating=tf.cast(targets, tf.float32),
        timestamp=tf.cast(targets, tf.int64),
        history_movie=tf.ragged.constant(HISTORY, tf.int32),
        history_rating=tf.ragged.constant(rating, tf.float32),
        seen_movie=tf.ragged.constant([[9], [], [], [8, 7], []], tf.int32),
        asked=targets.with_flat_values(tf.constant([[0], [1], [2], [-1], [3]])),
        day=targets.with_flat_values(tf.zeros([5, 0], tf.int32)),
    )
    return Rows(examples, OWNERS)


def _differing(before, after):
    def plain(x):
        return x.to_list() if isinstance(x, tf.RaggedTensor) else np.asarray(x).tolist()

    assert plain(before.owner) == plain(after.owner)
    columns = zip(ParsedExamples._fields, before.examples, after.examples, strict=True)
    return {name for name, was, became in columns if plain(was) != plain(became)}


def _histories(rows):
    """Movies and ratings of each row."""
    movies, ratings = rows.examples.history_movie, rows.examples.history_rating
    return list(zip(movies.to_list(), ratings.to_list(), strict=True))


def test_rows_are_drawn_from_all_other_users_alike():
    rng, times = np.random.default_rng(2), 4000
    counts = np.zeros([5, 5])
    for _ in range(times):
        counts[np.arange(5), others(OWNERS, rng)] += 1
    allowed = OWNERS[:, np.newaxis] != OWNERS
    expected = allowed / allowed.sum(1, keepdims=True)
    np.testing.assert_allclose(counts / times, expected, atol=0.04)
    assert (counts > 0).tolist() == allowed.tolist()


def test_a_history_is_exchanged_whole_and_comes_from_another_user(rows, make_facts):
    found = user_groups(make_facts(), True)["history"](rows, np.random.default_rng(0))
    assert _differing(rows, found) == {"history_movie", "history_rating"}
    before = _histories(rows)
    for place, pair in enumerate(_histories(found)):
        (source,) = (i for i, own in enumerate(before) if own == pair)
        assert OWNERS[source] != OWNERS[place]


def test_ratings_go_round_among_all_events(rows, make_facts):
    found = user_groups(make_facts(), True)["history ratings"](rows, np.random.default_rng(0))
    assert _differing(rows, found) == {"history_rating"}
    before, after = (x.examples.history_rating.flat_values.numpy() for x in (rows, found))
    assert sorted(before) == sorted(after)


def test_order_is_lost_within_each_history_and_ratings_stay_with_their_movies(rows, make_facts):
    shuffle = user_groups(make_facts(), True)["history order"]
    found = shuffle(rows, np.random.default_rng(0))
    assert _differing(rows, found) == {"history_movie", "history_rating"}

    def events(x):
        return [sorted(zip(*pair, strict=True)) for pair in _histories(x)]

    assert events(found) == events(rows)
    assert "history order" not in user_groups(make_facts(), False)


def test_id_and_each_feature_are_exchanged_alone(rows, make_facts):
    groups = user_groups(make_facts(), True)
    assert list(groups)[3:] == ["user id", "gender", "age"]
    found = groups["user id"](rows, np.random.default_rng(0))
    assert _differing(rows, found) == {"user"}
    assert (found.examples.user.numpy() != rows.examples.user.numpy()).all()
    for place, name in enumerate(("gender", "age")):
        found = groups[name](rows, np.random.default_rng(0)).examples.user_features.numpy()
        changed = (found != rows.examples.user_features.numpy()).all(0)
        assert changed.tolist() == [place == 0, place == 1]


def test_a_movie_gets_what_the_taken_one_has(make_facts):
    facts = make_facts()
    taken = np.random.default_rng(3).permutation(12)
    groups = movie_groups(facts)
    assert list(groups) == ["movie id", "genres", "year", "popularity", "raters"]
    changed = {name: shuffle(facts, taken) for name, shuffle in groups.items()}
    for name, field in (("movie id", "id_rows"), ("popularity", "counts")):
        np.testing.assert_array_equal(getattr(changed[name], field), getattr(facts, field)[taken])
    for name in ("genres", "year"):
        features = changed[name].features
        np.testing.assert_array_equal(features[name], facts.features[name][taken])
        (other,) = {"genres", "year"} - {name}
        assert features[other] is facts.features[other]
    fields = {"movie id": "id_rows", "genres": "features", "year": "features",
              "popularity": "counts", "raters": "raters"}  # fmt: skip
    for name, field in fields.items():
        same = {f.name for f in dataclasses.fields(facts)} - {field}
        assert all(getattr(changed[name], other) is getattr(facts, other) for other in same)


def test_raters_move_with_their_weights(make_facts):
    facts = make_facts()
    weight = np.linspace(0.1, 1, len(facts.raters.movie)).astype(np.float32)
    facts = dataclasses.replace(facts, raters=dataclasses.replace(facts.raters, weight=weight))
    taken = np.random.default_rng(3).permutation(12)
    moved = movie_groups(facts)["raters"](facts, taken)

    def matrix(raters):
        dense = np.zeros([12, 4])
        dense[raters.movie, raters.user] = raters.weight
        return dense

    np.testing.assert_array_equal(matrix(moved.raters), matrix(facts.raters)[taken])
    keys = moved.raters.movie * 4 + moved.raters.user
    assert (np.diff(keys) > 0).all()
