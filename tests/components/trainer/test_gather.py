"""From vocabularies, catalogue and train Examples to the model's facts."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.examples.catalogue import Catalogue
from components.examples.records import serialized
from components.model.facts import Raters
from components.trainer import gather
from components.trainer.gather import TrainStatistics
from components.trainer.raters import RaterSample
from schemas.features import Features

NOBODY = Raters(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))

GENRES = [[b"Drama"], [b"Comedy", b"Drama"], [], [b"Noir"]]
CATALOGUE = Catalogue(
    ids=pa.array([b"a", b"b", b"c", b"new"], pa.large_binary()),
    titles=pa.array([b"Same", b"Same", b"C", b"New"], pa.large_binary()),
    features={
        name: pa.array(values, pa.list_(pa.large_binary()))
        for name, values in (("genres", GENRES), ("star", [[b"X"]] * 4))
    },
)
VOCABULARY = {
    "user_id": [b"u1", b"u0"],
    "movie_id": [b"b", b"a", b"c"],  # most frequent first
    "genres": [b"Drama", b"Comedy"],
    "gender": [b"F", b"M"],
}
STATISTICS = TrainStatistics(
    np.array([2.0, 3.0, 1.0, 0.0]), np.array([2.0, 3.0, 1.0, 0.0]), np.array([7.0, 9.0, 5.0, 0.0]),
    79.5, (1.0, 5.0), {6: 1}, NOBODY,
)  # fmt: skip


@pytest.fixture
def facts():
    return gather.make_facts(CATALOGUE, VOCABULARY, STATISTICS, (1.0, 5.0), oov_buckets=4,
                             names=Features(users=("age", "gender")))  # fmt: skip


def test_ids_become_rows_of_the_vocabulary_and_strangers_share_buckets(facts):
    assert facts.id_rows[:3].tolist() == [1, 0, 2]
    assert facts.id_rows[3] == facts.oov_rows[3]
    assert ((facts.oov_rows >= 3) & (facts.oov_rows < 7)).all()
    assert facts.id_rows.dtype == facts.oov_rows.dtype == np.int32
    again = gather.make_facts(CATALOGUE, VOCABULARY, STATISTICS, (1.0, 5.0), oov_buckets=4)
    np.testing.assert_array_equal(again.oov_rows, facts.oov_rows)


def test_many_strangers_use_every_bucket():
    ids = pa.array([b"new%d" % i for i in range(200)], pa.large_binary())
    catalogue = Catalogue(ids, ids, {})
    none = np.zeros(200)
    nothing = TrainStatistics(none, none, none, 0.0, (np.inf, -np.inf), {}, NOBODY)
    facts = gather.make_facts(catalogue, VOCABULARY, nothing, (1.0, 5.0), oov_buckets=4)
    assert np.unique(facts.id_rows).tolist() == [3, 4, 5, 6]


def test_features_become_rows(facts):
    assert facts.features["genres"].tolist() == [[0, -1], [1, 0], [-1, -1], [2, -1]]
    assert set(facts.features) == {"genres"}  # Transform knows no star here
    assert facts.user_features == {"gender": [b"F", b"M"]}
    assert facts.user_ids == [b"u1", b"u0"]


def test_titles_may_repeat_but_movies_stay_apart(facts):
    assert facts.movie_titles[:2] == [b"Same", b"Same"]
    assert facts.id_rows[0] != facts.id_rows[1]


def test_feature_rows_of_nothing():
    assert gather.feature_rows([[], []], [b"x"]).tolist() == [[-1], [-1]]
    assert gather.feature_rows([], [b"x"]).shape == (0, 1)


def test_statistics_of_train(facts):
    assert facts.mean == pytest.approx(21 / 6)
    assert facts.variance == pytest.approx(79.5 / 6 - 3.5**2)
    expected = [(7 - 2 * 3.5) / 12, (9 - 3 * 3.5) / 13, (5 - 3.5) / 11, 0]
    np.testing.assert_allclose(facts.movie_bias, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(facts.log_popularity, np.log(np.array([3, 4, 2, 1]) / 10), rtol=1e-5)


def test_statistics_of_an_empty_train():
    none = np.zeros(4)
    nothing = TrainStatistics(none, none, none, 0.0, (np.inf, -np.inf), {}, NOBODY)
    facts = gather.make_facts(CATALOGUE, VOCABULARY, nothing, (1.0, 5.0), oov_buckets=4)
    assert facts.mean == 3.0 and facts.variance > 0
    np.testing.assert_allclose(facts.log_popularity, np.log([0.25] * 4))


def test_count_train_agrees_with_numpy(example, write_records, tmp_path):
    rng = np.random.default_rng(0)
    lookup = gather.make_lookup(CATALOGUE, VOCABULARY)
    users, files = [], []
    for number in range(2):
        examples = []
        for _ in range(700):  # more than is parsed at once
            movies = rng.integers(0, 3, rng.integers(1, 5))
            ratings = rng.integers(2, 11, len(movies)) / 2
            users.append((movies, ratings))
            examples.append(
                example(
                    user_id="u1",
                    movie_id=[CATALOGUE.ids[m].as_py() for m in movies],
                    rating=ratings.tolist(),
                )
            )
        files.append(write_records(tmp_path / f"{number}.gz", examples))
    found = gather.count_train(serialized(files), lookup, 4)
    movies, ratings = (np.concatenate(column) for column in zip(*users, strict=True))
    np.testing.assert_array_equal(found.counts, np.bincount(movies, minlength=4))
    np.testing.assert_allclose(found.rating_sums, np.bincount(movies, ratings, minlength=4))
    assert found.squares == pytest.approx((ratings**2).sum())
    lengths = np.bincount([len(m) for m, _ in users])
    assert dict(found.lengths) == {i: n for i, n in enumerate(lengths) if n}


@pytest.mark.parametrize(
    ("ratings", "why"),
    [
        (None, "no event of train is rated: there is nothing to predict"),
        ([np.nan] * 5, "no event of train is rated: there is nothing to predict"),
        ([1.0] * 5, "all ratings of train are 1: there is nothing to predict"),
        ([np.nan, 3.5, 3.5, np.nan, 3.5],
         "all ratings of train are 3.5: there is nothing to predict"),
        ([np.nan, 2.0, 3.5, np.nan, 3.5], ""),
    ],
)  # fmt: skip
def test_what_is_not_rated_counts_as_seen_alone(example, write_records, tmp_path, ratings, why):
    movies, users = [0, 1, 2, 1, 0], ["u0", "u1"]
    told = ratings or [np.nan] * 5
    windows = [
        example(user_id=user, movie_id=[CATALOGUE.ids[m].as_py() for m in movies[part]],
                **({"rating": ratings[part]} if ratings else {}))
        for user, part in zip(users, (slice(0, 3), slice(3, 5)), strict=True)
    ]  # fmt: skip
    files = [write_records(tmp_path / "train.gz", windows)]
    found = gather.count_train(serialized(files), gather.make_lookup(CATALOGUE, VOCABULARY), 4)
    assert found.counts.tolist() == [2, 2, 1, 0]
    rated = [(m, r) for m, r in zip(movies, told, strict=True) if r == r]
    assert found.rated_counts.tolist() == [sum(m == row for m, _ in rated) for row in range(4)]
    assert found.rating_sums.tolist() == [sum(r for m, r in rated if m == row) for row in range(4)]
    assert found.squares == sum(r**2 for _, r in rated)
    assert len(found.raters.movie) == len(rated)
    scale = (0.5, 5.0) if ratings else None
    assert found.unrated(scale) == why
    facts = gather.make_facts(CATALOGUE, VOCABULARY, found, scale, oov_buckets=4)
    assert facts.scale == (None if why else scale)
    popular = np.log(np.array([3, 3, 2, 1]) / 9)
    np.testing.assert_allclose(facts.log_popularity, popular, rtol=1e-5)
    if not why:
        assert facts.mean == pytest.approx(3.0)


def test_lookup_maps_names_to_rows():
    lookup = gather.make_lookup(CATALOGUE, VOCABULARY, Features(users=("age", "gender")))
    assert lookup.movie.lookup(tf.constant([b"new", b"a", b"?", b""])).numpy().tolist() == [
        3,
        0,
        -1,
        -1,
    ]
    assert lookup.user.lookup(tf.constant([b"u0", b"?"])).numpy().tolist() == [1, 2]
    assert list(lookup.user_features) == ["gender"]
    assert lookup.user_features["gender"].lookup(tf.constant([b"M", b""])).numpy().tolist() == [
        1,
        2,
    ]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300)), unique=True, max_size=400),
    st.integers(1, 50),
    st.randoms(use_true_random=False),
)
def test_raters_are_sampled_alike_in_any_order(pairs, pending, random):
    def sample(order):
        found = RaterSample()
        found.MOST_RATERS, found.PENDING = 7, pending
        for start in range(0, len(order), 10):
            part = np.array(order[start : start + 10])
            found.add(part[:, 0], part[:, 1])
        return found.raters()

    plain = sample(pairs)
    shuffled = list(pairs)
    random.shuffle(shuffled)
    other = sample(shuffled)
    for name in ("movie", "user", "weight"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(other, name))
    kept = list(zip(plain.movie.tolist(), plain.user.tolist(), strict=True))
    assert kept == sorted(kept) and set(kept) <= set(pairs)
    for movie in range(6):
        own = [pair for pair in pairs if pair[0] == movie]
        held = plain.movie == movie
        assert held.sum() == min(7, len(own))
        np.testing.assert_allclose(np.square(plain.weight[held]).sum(), bool(own), rtol=1e-5)


def test_raters_are_thinned_evenly_where_there_are_too_many():
    sample = RaterSample()
    sample.MOST_PAIRS = 30
    movie = np.repeat(np.arange(4), [3, 20, 50, 300])
    sample.add(movie, np.arange(len(movie)))
    # 3 + 3 * 9 = 30: what one movie does not use is the others'.
    assert np.bincount(sample.raters().movie).tolist() == [3, 9, 9, 9]
