"""How many trials run at once, and with how many threads each."""

import os
from typing import Any, cast

import pytest
from formula_trials import parts

from components.tuner import run
from components.tuner.search import OneByOne
from components.tuner.workers import Worker


@pytest.fixture
def threads(monkeypatch, tmp_path):
    """Tells the threads of each of the trials at once; none where there is but one."""

    def threads(cores, **tuning):
        made = []

        def worker(make_run, threads):
            made.append(threads)
            return Worker(make_run, threads)

        with monkeypatch.context() as patch:
            patch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
            patch.setattr(run, "Worker", worker)
            patch.setattr(run, "make_run", lambda job, mix: None)
            config, oracle = parts(**tuning)
            search = run.make_search(oracle, cast(Any, None), config, str(tmp_path))
        assert search.at_once == max(1, len(made))
        assert isinstance(search, OneByOne) == (not made)
        return made

    return threads


def test_where_no_ratings_are_predicted_lists_are_all_that_scores():
    found = {"valid_retrieval": 0.7, "valid_rating": 0.81}
    assert run.score(found, 0.25) == pytest.approx(0.75 * 0.3 - 0.25 * 0.9)
    assert run.score({"valid_retrieval": 0.7}, 0.25) == pytest.approx(0.3)


def test_there_is_one_for_two_cores_and_no_more_than_four(threads):
    assert threads(1) == threads(2) == threads(3) == []
    assert threads(4) == [2, 2]
    assert threads(7) == [2, 2, 2]
    assert threads(32) == [8, 8, 8, 8]


def test_there_are_as_many_as_told_and_no_more_than_trials(threads):
    assert threads(8, parallel=1) == []
    assert threads(8, parallel=6) == [1] * 6
    assert threads(2, parallel=3) == [1] * 3
    assert threads(8, trials=2) == [4, 4]
