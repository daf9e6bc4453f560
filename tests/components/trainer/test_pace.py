"""How many steps a training of so many minutes takes, on clocks that go as the test says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.trainer import pace
from components.trainer.pace import EVERY, RESERVE, Pace, affordable
from components.trainer.rounds import Rounds
from components.trainer.workers import ALONE

counts = st.integers(0, 10**6)


@given(done=counts, most=counts, paced=st.floats(1e-6, 1e3), left=st.floats(-1e6, 1e6))
def test_what_is_planned_can_be_afforded_and_no_step_more_could(done, most, paced, left):
    planned = affordable(done, paced, left, most)
    assert planned <= most
    more = planned - done
    assert more <= 0 or more * paced <= left * (1 + 1e-9)
    if done <= planned < most:
        assert (more + 1) * paced > left * (1 - 1e-9)


class Clock:
    """A clock that a test moves; stands where `time` does."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    return made


def run(plan, clock, seconds, done=0):
    """Takes steps until the plan ends, each of so many seconds; how many there are in all then."""
    while not plan.ends(done):
        clock.now += seconds(done)
        done += 1
        plan.look(done)
    return done


@pytest.mark.parametrize("step", [0.01, 0.4, 3.0])
def test_a_training_ends_within_its_time_however_fast_the_machine_is(clock, step):
    plan = Pace(Rounds(10, 1, 10_000, seconds=600.0), ALONE)
    plan.begin(0.0)
    done = run(plan, clock, lambda done: step if done else 5.0)
    assert 0.9 * 600 < plan.spent <= 600
    assert done == plan.planned < 100_000


@pytest.mark.parametrize("change", [0.25, 4.0])
def test_the_plan_follows_a_machine_that_changes(clock, change):
    plan = Pace(Rounds(10, 1, 10_000, seconds=600.0), ALONE)
    plan.begin(0.0)
    run(plan, clock, lambda done: 0.4 if plan.spent < 200 else 0.4 * change)
    assert 0.9 * 600 < plan.spent <= 600


def test_time_is_a_bound_and_epochs_are_one_too(clock):
    plan = Pace(Rounds(2, 1, 50, seconds=600.0), ALONE)
    plan.begin(0.0)
    assert run(plan, clock, lambda done: 0.1) == 100 and plan.spent < 11


def test_a_training_that_goes_on_has_what_is_left(clock):
    rounds = Rounds(10, 1, 10_000, seconds=600.0)
    first = Pace(rounds, ALONE)
    first.begin(0.0)
    for done in range(1, 401):
        clock.now += 1.0
        first.look(done)
    clock.now += 10_000  # nobody trains
    second = Pace(rounds, ALONE)
    second.steps.assign(first.steps)
    second.begin(400.0)
    assert not second.ends(400) and second.planned == int(600 * (1 - RESERVE))
    assert run(second, clock, lambda done: 1.0, 400) == second.planned
    assert 560 < second.spent <= 600


def test_a_training_whose_time_is_used_up_takes_no_step_more(clock):
    plan = Pace(Rounds(10, 1, 100, seconds=60.0), ALONE)
    plan.begin(0.0)
    clock.now += 70
    assert run(plan, clock, lambda done: 0.1) == EVERY + 1


def test_without_a_bound_nothing_is_planned_anew(clock):
    plan = Pace(Rounds(3, 1, 20), ALONE)
    plan.begin(0.0)
    for done in range(1, 70):
        clock.now += 100.0
        plan.look(done)
        assert not plan.ends(done)
    assert plan.planned == plan.of_rate == 60


def test_a_share_of_an_epoch_ends_at_its_step():
    plan = Pace(Rounds(2, 1, 20, last=31), ALONE)
    assert [plan.ends(done) for done in (0, 30, 31)] == [False, False, True]
    assert plan.of_rate == 31
