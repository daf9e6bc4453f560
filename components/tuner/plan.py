"""What the search asks of a trial, in a form that another process can read."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Figures = dict[str, float]


class Plan(NamedTuple):
    """What one trial is asked for.

    values: dotted setting to value.
    epochs: stop after so many, counted from the training's first; None: it ends by itself.
    deadline: stop after the epoch that is under way at this second of `time.monotonic`, whose clock
      is the same in all processes.
    folder: where the training keeps its weights; one that goes on finds them there.
    label: which trial this is, in words.
    share: how much of the search is done.
    """

    values: Mapping[str, Any]
    epochs: int | None
    deadline: float
    folder: str
    label: str
    share: float

    def enough(self, epochs: int) -> bool:
        """Whether to stop after so many epochs."""
        return epochs > 0 and (epochs == self.epochs or time.monotonic() >= self.deadline)


Run = Callable[[Plan], Figures]


def carry_out(run: Run, plan: Plan) -> Figures:
    """Runs a trial; adds its `seconds`, and `cut`: 1 where the end of the minutes cut it short."""
    started = time.monotonic()
    figures, now = run(plan), time.monotonic()
    return {**figures, "seconds": now - started, "cut": now >= plan.deadline}
