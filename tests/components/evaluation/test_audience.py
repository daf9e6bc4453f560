"""Whom lists reach and what changes for whom, against counting by hand."""

import numpy as np
import pytest

from components.evaluation.audience import TENTHS, changes, exposure


def test_places_are_counted_by_the_tenth_of_their_movie():
    counts = np.array([0.0, *range(20, 0, -1)])  # two movies in each tenth, behind one unrated
    lists = np.array([[1, 2, 20], [1, 0, -1], [-1, -1, -1]])
    shares = exposure(lists, counts)
    assert len(shares) == TENTHS and sum(shares) == pytest.approx(1.0)
    assert [shares[place] for place in (0, 1, 10)] == [0.2, 0.6, 0.2]
    assert exposure(np.full([2, 3], -1), counts) == [0.0] * TENTHS


def _answers(movies, rank, history):
    return {"movies": np.array(movies), "rank": np.array(rank), "history": np.array(history)}


def test_lists_and_hits_are_compared_person_by_person():
    history = np.full([4, 7], -1)
    history[1:3, 3:] = 5  # four events
    history[3] = 5
    candidate = _answers([[0, 1], [2, 3], [4, -1], [6, 7]], [1, 2, 9, 1], history)
    blessed = _answers([[1, 0], [2, 9], [8, 9], [8, 9]], [1, 3, 2, 5], history)
    found = {row.pop("group"): row for row in changes(candidate, blessed, 2)}
    assert found["overall"] == {"people": 4, "new": (0 + 0.5 + 1 + 1) / 4, "found": 2, "lost": 1}
    assert found["history=0"] == {"people": 1, "new": 0.0, "found": 0, "lost": 0}
    assert found["history=1-5"] == {"people": 2, "new": 0.75, "found": 1, "lost": 1}
    assert found["history=6-20"] == {"people": 1, "new": 1.0, "found": 1, "lost": 0}
    assert "history=more than 20" not in found


def test_the_same_model_changes_nothing():
    same = _answers([[0, 1], [2, -1]], [1, 7], [[3], [-1]])
    rows = changes(same, same, 2)
    assert {(row["new"], row["found"], row["lost"]) for row in rows} == {(0.0, 0, 0)}
