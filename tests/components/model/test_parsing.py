"""Examples as the model reads them: rows in place of names, and gaps where nothing is said."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.parsing import Lookup, history, parse, table

LOOKUP = Lookup(
    table([b"m%d" % i for i in range(10)], -1),
    table([b"u%d" % i for i in range(4)], 4),
    {"gender": table([b"F", b"M"], 2)},
)


def test_parse_with_and_without_optional_features(example):
    full = example(
        user_id="u3",
        gender="M",
        movie_id=["m1", "gone"],
        rating=[3.0, 4.0],
        history_movie_id=["m5", "m6", "m7"],
        history_rating=[1.0, 2.0, 3.0],
    )
    bare = example(user_id="stranger", movie_id=["m2"], rating=[5.0])
    odd = example(user_id="u0", gender="X", movie_id=["m2"], rating=[5.0], director=["nobody"])
    found = parse(LOOKUP, tf.constant([full, bare, odd]))
    assert found.user.numpy().tolist() == [3, 4, 0]
    assert found.user_features.numpy().tolist() == [[1], [2], [2]]
    assert found.movie.to_list() == [[1, -1], [2], [2]]
    assert found.rating.to_list() == [[3.0, 4.0], [5.0], [5.0]]
    assert found.history_movie.to_list() == [[5, 6, 7], [], []]
    assert found.history_rating.to_list() == [[1.0, 2.0, 3.0], [], []]
    assert found.target.numpy().tolist() == [1, 2, 2]
    assert found.target_rating.numpy().tolist() == [3.0, 5.0, 5.0]
    none = Lookup(LOOKUP.movie, LOOKUP.user, {})
    assert parse(none, tf.constant([full, bare])).user_features.shape == (2, 0)


@pytest.mark.parametrize("rating", [{}, {"rating": []}, {"rating": [np.nan, np.nan]}])
def test_what_is_not_rated_is_no_number(example, rating):
    bare = example(user_id="u1", movie_id=["m1", "m2"], history_movie_id=["m3"], **rating)
    found = parse(LOOKUP, tf.constant([bare]))
    assert np.isnan(found.rating.to_list()).tolist() == [[True, True]]
    assert np.isnan(found.history_rating.to_list()).tolist() == [[True]]
    assert np.isnan(found.target_rating.numpy()).tolist() == [True]
    assert found.timestamp.to_list() == [[]]
    assert found.seen_movie.to_list() == [[]]


def test_a_target_outside_the_catalogue_is_told(example):
    lost = example(user_id="u1", movie_id=["gone"], rating=[2.0], seen_movie_id=["m4", "gone"])
    found = parse(LOOKUP, tf.constant([lost]))
    assert found.target.numpy().tolist() == [-1]
    assert found.seen_movie.to_list() == [[4, -1]]


def test_histories_are_padded_at_the_front(example):
    examples = [
        example(user_id="u1", movie_id=["m0"], rating=[1.0], history_movie_id=["m5", "gone", "m7"],
                history_rating=[1.0, 2.0, 3.0]),
        example(user_id="u1", movie_id=["m0"], rating=[1.0], history_movie_id=["m9"],
                history_rating=[4.0]),
    ]  # fmt: skip
    window = history(parse(LOOKUP, tf.constant(examples)))
    assert window.movie.numpy()[:, -2:].tolist() == [[5, 7], [0, 9]]
    assert window.rating.numpy()[:, -2:].tolist() == [[1.0, 3.0], [0.0, 4.0]]
    assert window.present.numpy()[:, -2:].tolist() == [[1.0, 1.0], [0.0, 1.0]]
    empty = history(parse(LOOKUP, tf.constant([example(user_id="u1")])))
    assert empty.movie.shape == (1, 1) and not empty.present.numpy().any()


def test_an_example_without_a_user_is_refused(example):
    with pytest.raises(tf.errors.InvalidArgumentError, match="user_id"):
        parse(LOOKUP, tf.constant([example(movie_id=["m1"], rating=[3.0])]))


def test_ratings_fill_each_row_from_its_first_movie_on(example):
    rows = [([], []), (["m1", "m2", "m3"], [2.0]), (["m4"], [3.0]), (["m5", "m6"], [])]
    examples = [example(user_id="u1", movie_id=movies, rating=ratings) for movies, ratings in rows]
    found = parse(LOOKUP, tf.constant(examples))
    assert str(found.rating.to_list()) == "[[], [2.0, nan, nan], [3.0], [nan, nan]]"


def test_more_ratings_than_movies_are_refused(example):
    with pytest.raises(tf.errors.InvalidArgumentError, match="more ratings than movies"):
        parse(LOOKUP, tf.constant([
            example(user_id="u1", movie_id=["m1", "m2"], rating=[3.0]),
            example(user_id="u1", movie_id=["m1"], rating=[3.0, 4.0]),
        ]))  # fmt: skip
