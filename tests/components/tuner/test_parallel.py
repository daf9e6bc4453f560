"""Trials at once, in processes of their own; their trainings are a formula."""

import functools
import logging
import multiprocessing
import os
import subprocess
import sys

import formula_trials as trials
import pytest

from components.tuner.parallel import SideBySide
from components.tuner.search import OneByOne, results
from components.tuner.workers import THREADS, Worker

# What scikit-learn says of a formula without noise.
pytestmark = pytest.mark.filterwarnings("ignore:The optimal value found", "ignore:All-NaN axis")


@pytest.fixture
def make(tmp_path):
    """Makes a search with two trials at once; `more` goes to the trials' processes."""

    def make(run=trials.formula, *more, threads=1, **tuning):
        config, oracle = trials.parts(**tuning)
        make_run = functools.partial(trials.make_formula, run, *more)
        workers = [Worker(make_run, threads) for _ in range(2)]
        return SideBySide(oracle, workers, config, str(tmp_path / "search"))

    return make


def _trials(search):
    return {row["trial"]: row for row in results(search)["trials"]}


def test_two_trials_run_at_once_each_in_a_process_with_its_threads(make):
    before = dict(os.environ)
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    search = make(trials.meeting, barrier, threads=3, algorithm="bayesian", trials=6)
    search.search()
    rows = _trials(search).values()
    assert [row["status"] for row in rows] == ["COMPLETED"] * 6
    assert len({row["pid"] for row in rows} | {os.getpid()}) == 3
    assert {row["threads"] for row in rows} == {3}
    assert os.environ == before and not os.environ.keys() & set(THREADS)
    assert results(search)["parallel"] == 2


def test_hyperband_lets_the_best_go_on_from_their_own_weights(make, tmp_path):
    search = make(trials=30)
    search.search()
    found = _trials(search)
    assert len(found) == 30 and {row["status"] for row in found.values()} == {"COMPLETED"}
    assert trials.promoted(found) >= 3
    assert not list(tmp_path.glob("search/search/*/training"))


def test_a_space_that_is_used_up_ends_the_search(make):
    few = {
        "model.dims": [16, 32, 64],
        "model.dropout": [0.1, 0.3],
        "training.learning_rate": [0.001, 0.004],
    }
    search = make(space=few, trials=40)
    search.search()
    assert results(search)["ended"] == "space"
    assert trials.promoted(_trials(search)) >= 1


def test_a_trial_that_fails_is_told_and_the_others_go_on(make):
    search = make(trials.narrow)
    search.search()
    rows = _trials(search).values()
    assert len(rows) == 8
    for row in rows:
        fails = row["values"]["model.dims"] == 128
        assert row["status"] == ("FAILED" if fails else "COMPLETED")
        assert not fails or "ValueError: out of memory" in row["message"][0]
    assert "FAILED" in {row["status"] for row in rows}


def test_a_process_that_is_killed_costs_its_trial_alone(make):
    search = make(trials.killed, (2, 4))
    search.search()
    found = _trials(search)
    assert [number for number, row in found.items() if row["status"] == "FAILED"] == [2, 4]
    assert all("SIGKILL" in found[number]["message"][0] for number in (2, 4))
    assert len(found) == 8


def test_three_failures_in_a_row_end_the_search(make):
    with pytest.raises(RuntimeError, match="SIGKILL"):
        make(trials.killed, range(1, 21), trials=20).search()


def test_a_killed_search_leaves_no_process_and_goes_on_where_it_was(make, tmp_path):
    command = [sys.executable, trials.__file__, str(tmp_path / "search")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert sorted(process.stdout.readline().strip() for _ in range(2)) == ["1", "2"]
        process.kill()
        rest, _ = process.communicate(timeout=60)  # ends when no process holds the pipe any more
    assert rest == ""
    search = make()
    search.search()
    found = _trials(search)
    assert [row["began"] for row in found.values()][:3] == [1, 1, 0]
    assert len(found) == 8 and {row["status"] for row in found.values()} == {"COMPLETED"}


def test_one_after_another_takes_up_all_that_a_killed_search_left(make, tmp_path):
    search = make()
    search.on_search_begin()
    left = [search.oracle.create_trial(f"worker{n}") for n in range(3)]
    config, oracle = trials.parts(seed=7)  # by itself it would try others
    again = OneByOne(oracle, trials.formula, config, str(tmp_path / "search"))
    again.search()
    found = list(_trials(again).values())
    assert len(found) == 8 and {row["status"] for row in found} == {"COMPLETED"}
    for row, trial in zip(found, left, strict=False):
        assert row["values"].items() <= trial.hyperparameters.values.items()


def test_the_minutes_are_wall_time_and_end_all_that_run(make):
    search = make(trials.until_the_end, algorithm="bayesian", minutes=0.05, trials=8)
    search.search()
    found = results(search)
    assert found["ended"] == "minutes" and found["seconds"] >= 3
    assert [row["cut"] for row in found["trials"]] == [1, 1]
    again = make(trials.until_the_end, algorithm="bayesian", minutes=0.05)
    again.search()
    assert results(again) == found
    longer = make(trials.until_the_end, algorithm="bayesian", minutes=found["seconds"] / 60 + 0.05)
    longer.search()
    assert len(_trials(longer)) == 4
    assert results(longer)["seconds"] >= found["seconds"] + 3


def test_what_a_trial_took_does_not_count_beside_the_wall_clock(make):
    search = make()
    search.on_search_begin()
    assert search.run_trial(None, {"score": 1.0, "seconds": 3600.0})["clock"] < 60


def test_progress_tells_of_all_that_run_and_the_rest_goes_to_the_log(make, caplog):
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    with caplog.at_level(logging.INFO):
        search = make(trials.talking, barrier, algorithm="bayesian", trials=4)
        search.search()
    done = [row for row in results(search)["trials"] if row["trial"] <= 2]
    told = [record for record in caplog.records if record.name == "greenlight.progress"]
    texts = [record.getMessage() for record in told]
    for left, right in ((1, 2), (3, 4)):
        assert any(f"{left}: epoch" in text and f"{right}: epoch" in text for text in texts)
    assert texts[0] in ("trials 1: epoch 1", "trials 2: epoch 1")
    assert texts[-1].startswith(f"trials (best {max(row['score'] for row in done):.4f}) ")
    shares = [record.done for record in told]
    assert shares == sorted(shares) and shares[0] < 0.1 and 0.5 <= shares[-1] < 1
    warned = {r.getMessage() for r in caplog.records if r.name == "some.library"}
    assert warned == {f"trial {number}: careful" for number in (1, 2, 3, 4)}
