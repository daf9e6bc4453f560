"""Faults of lists against sets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation import list_soundness
from components.evaluation.list_soundness import Seen

lists = st.lists(st.permutations(range(6)).map(lambda p: p[:3]), min_size=1, max_size=6)


def test_faulty_lists_are_counted():
    rows = np.array([[0, 1, 2], [3, 3, 4], [5, 0, 1], [4, -1, -1], [2, 3, 4]])
    again = np.array([[0, 1, 2], [3, 3, 4], [5, 0, 1], [4, -1, -1], [2, 4, 3]])
    seen = Seen(np.array([0, 0, 2, 2, 3, 3, 1]), np.array([3, 4, 0, 4, 0, 1, -1]))
    assert list_soundness.faults(rows, again, seen) == {
        "repeats a movie": 1, "holds a movie already seen": 1, "differs when asked again": 1,
    }  # fmt: skip
    assert list_soundness.holding_seen(rows, seen).tolist() == [2]
    assert (
        list_soundness.count_short(rows, seen, movies=6) == 1
    )  # four of six are unseen by the fourth user
    most = Seen(np.zeros(6, int), np.array([0, 1, 2, 3, 5, 5]))  # one of them was seen twice
    assert list_soundness.count_short(rows[3:4], most, movies=6) == 0


@given(lists, st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), max_size=20), st.data())
def test_seen_movies_are_found_in_the_lists_of_those_who_saw_them(rows, pairs, data):
    shown = np.array(rows)
    for row in shown:
        row[data.draw(st.integers(0, 3)) :] = -1
    pairs = [(owner % len(rows), movie) for owner, movie in pairs]
    seen = Seen(*np.array(pairs, int).reshape([-1, 2]).T)
    wrong = [
        row
        for row in range(len(rows))
        if {(row, m) for m in shown[row].tolist() if m >= 0} & {*pairs}
    ]
    assert list_soundness.holding_seen(shown, seen).tolist() == wrong
