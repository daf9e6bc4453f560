"""What is left of a run counts down, and turns over to what is measured without a jump."""

import io
from itertools import pairwise

from rich.console import Console
from rich.progress import Progress

from pipeline.pace import Pace, StillColumn


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def paced(**seconds: float) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(seconds, clock), clock


def test_it_counts_down_while_a_node_says_nothing_and_never_below_the_others() -> None:
    pace, clock = paced(one=10, two=60)
    assert pace.left == 70
    pace.start("one")
    clock.now += 4
    assert pace.left == 66
    clock.now += 60
    assert pace.left == 60
    pace.finish()
    assert pace.left == 60
    pace.start("two")
    pace.finish()
    assert pace.left == 0


def test_a_node_ten_times_slower_than_last_turns_the_estimate_over_step_by_step() -> None:
    pace, clock = paced(train=60, judge=20)
    pace.start("train")
    left = [pace.left]
    for step in range(1, 601):
        clock.now += 1
        if step % 6 == 0:
            pace.tell(step / 600)
        left.append(pace.left)
    assert max(abs(after - before) for before, after in pairwise(left)) < 30
    assert all(abs(left[step] - (620 - step)) < 1 for step in range(150, 600, 6))


def test_between_two_shares_it_counts_down() -> None:
    pace, clock = paced(train=100)
    pace.start("train")
    clock.now += 50
    pace.tell(0.5)
    assert pace.left == 50
    clock.now += 10
    assert pace.left == 40


def test_further_work_of_a_node_is_measured_anew() -> None:
    pace, clock = paced(train=100)
    pace.start("train")
    clock.now += 80
    pace.tell(1.0)
    assert pace.left == 0
    clock.now += 1
    pace.tell(0.25)
    clock.now += 30
    pace.tell(0.5)
    assert pace.left == 30


def test_it_is_shown_in_minutes_and_seconds() -> None:
    pace, _ = paced(one=185.4)
    with Progress(StillColumn(pace), console=Console(file=io.StringIO())) as shown:
        shown.add_task("", total=1)
        assert StillColumn(pace).render(shown.tasks[0]).plain == "still 3:05"
