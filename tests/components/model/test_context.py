"""Which events a moment may read, and how old they are, event by event."""

import numpy as np
import pytest
import tensorflow as tf

from components.model.context import before, latest, others, without

LENGTHS = [6, 4]


@pytest.fixture
def window(make_facts, make_window):
    """Two users; the first one's third to fifth events are of one moment, and so are the last two.

    The second one's last two are padding.
    """
    moment = tf.constant([[0, 1, 2, 2, 2, 5], [0, 0, 2, 3, 4, 5]])
    return make_window(make_facts(), LENGTHS)._replace(moment=moment)


def _ages(context):
    """By user and position, the ages of the events that it may read, by their places."""
    visible = context.visible.numpy()
    age = np.broadcast_to(context.age.numpy(), visible.shape)
    return [
        [{j: row[j] for j in np.flatnonzero(seen)} for seen, row in zip(*user, strict=True)]
        for user in zip(visible, age, strict=True)
    ]


def test_what_was_before_has_its_age_from_where_the_moment_begins(window):
    found = _ages(before(window))
    assert found[0] == [{}, {0: 0}, *([{0: 1, 1: 0}] * 3), {0: 4, 1: 3, 2: 2, 3: 1, 4: 0}]
    assert found[1][:4] == [{}, {}, {0: 1, 1: 0}, {0: 2, 1: 1, 2: 0}]


def test_all_others_are_read_alike(window):
    for user, length in enumerate(LENGTHS):
        for position, read in enumerate(_ages(others(window))[user]):
            assert read == {j: 0 for j in range(length) if j != position}


def test_what_is_hidden_is_read_by_nobody(window):
    hidden = tf.constant([[0.0, 1, 0, 1, 0, 0], [1.0, 0, 0, 0, 0, 0]])
    found = _ages(without(window, hidden))
    assert found == [[{0: 0, 2: 0, 4: 0, 5: 0}], [{1: 0, 2: 0, 3: 0}]]


@pytest.mark.parametrize("ordered", [True, False])
def test_the_latest_within_reach_are_read(make_facts, make_window, ordered):
    window = make_window(make_facts(), LENGTHS, front=True)
    found = _ages(latest(window, 5, ordered))
    ages = [{1: 4, 2: 3, 3: 2, 4: 1, 5: 0}, {2: 3, 3: 2, 4: 1, 5: 0}]
    assert found == [[own if ordered else dict.fromkeys(own, 0)] for own in ages]


def test_only_rated_events_are_left(make_facts, make_window):
    window = make_window(make_facts(rated="some"), [6, 4])
    rated = window.rated.numpy() > 0
    assert not rated[:, :4].all()
    for user, positions in enumerate(_ages(others(window).rated())):
        for position, read in enumerate(positions):
            assert set(read) == set(np.flatnonzero(rated[user])) - {position}
