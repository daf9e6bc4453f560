"""The linear path of a trained model: what it counts, and how its share is chosen."""

import numpy as np
import pytest
import tensorflow as tf

from components.examples.records import records, serialized
from components.model import scoring
from components.model.parsing import history, parse
from components.trainer.blend import add_linear_path, count_together

REACH = 20


@pytest.fixture(scope="module")
def files(example, write_records, tmp_path_factory):
    """Users who watch either the even movies or the odd ones, train windows and valid rows."""
    rng, folder = np.random.default_rng(2), tmp_path_factory.mktemp("blend")
    train, valid = [], []
    for user in range(120):
        own = [f"m{movie}" for movie in rng.permutation(5) * 2 + user % 2]
        name, given = f"u{user}", [4.0] * 4
        train.append(example(user_id=name, movie_id=own[:4], rating=given))
        valid.append(
            example(
                user_id=f"new{user}", movie_id=own[4], rating=4.0,
                history_movie_id=own[:4], history_rating=given,
            )
        )  # fmt: skip
    return write_records(folder / "train", train), write_records(folder / "valid", valid)


def _gain(model, lookup, file):
    """NDCG without a cut, row by row."""
    tables, found = model.movie_tables(), []
    for examples in records([file], 64):
        parsed = parse(lookup, examples)
        scores = scoring.score(model, tables, history(parsed), REACH)
        target = parsed.target
        rank = scoring.expected_rank(scores.model, target, scores.seen)
        found.extend(1 / np.log2(1 + rank.numpy()))
    return np.mean(found)


def test_counts_agree_with_numpy(files, make_facts, make_lookup):
    covered = np.array([0, 2, 3, 7])
    together = count_together(serialized(files[0]), make_lookup(make_facts()), covered, 12)
    expected = np.zeros([4, 4])
    for batch in records([files[0]], 1):
        held = parse(make_lookup(make_facts()), batch).movie.to_list()[0]
        marks = np.isin(covered, held).astype(float)
        expected += np.outer(marks, marks)
    np.testing.assert_array_equal(together, expected)
    assert together[0, 1] > 0 and together[0, 2] == 0


@pytest.mark.parametrize("ordered", [True, False])
def test_the_share_is_one_that_ranks_valid_better(
    files, make_facts, make_lookup, make_model, ordered
):
    train, valid = files
    model = make_model(ordered, linear_penalty=1.0)
    lookup = make_lookup(model.facts)
    plain = _gain(model, lookup, valid)
    add_linear_path(model, serialized(train), records([valid], 64), lookup, REACH)
    assert float(model.linear.share) > 0
    chosen = _gain(model, lookup, valid)
    assert chosen > plain + 0.05
    for share in (0.0, 1.0, 8.0, 64.0):
        model.linear.set(share, float(model.linear.half_life))
        assert _gain(model, lookup, valid) <= chosen + 1e-6


def test_without_valid_or_by_choice_there_is_no_path(files, make_lookup, make_model):
    model = make_model(True)
    lookup = make_lookup(model.facts)
    nothing = tf.data.Dataset.from_tensor_slices(tf.zeros([0], tf.string)).batch(2)
    add_linear_path(model, serialized(files[0]), nothing, lookup, REACH)
    assert model.linear is None
    for setting in ({"linear_movies": 0}, {"retrieval_weight": 0.0}):
        model = make_model(True, **setting)
        add_linear_path(model, serialized(files[0]), records([files[1]], 64), lookup, REACH)
        assert model.linear is None
