"""How long a run still takes: a number that counts down and does not jump."""

import time
from collections.abc import Callable, Mapping

from rich.progress import ProgressColumn, Task
from rich.text import Text

_TRUSTED = 0.25  # of a node done: from then on its own speed counts alone


class Pace:
    """Seconds that are left, by what nodes took last and how fast the one at work goes.

    A node that says how far it is turns the estimate over to its own speed bit by bit: its first
    share, with what it has to prepare, says little of the rest.
    """

    def __init__(
        self, seconds: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Knows the seconds that each node took last; `clock` tells seconds."""
        self._waiting = dict(seconds)
        self._clock = clock
        self._begun = self._told = clock()
        self._usual = self._share = 0.0

    def start(self, node: str) -> None:
        """A node begins; what one before it had left is over."""
        self._usual, self._share = self._waiting.pop(node, 0.0), 0.0
        self._begun = self._told = self._clock()

    def tell(self, share: float) -> None:
        """The node has done a share of its work; a smaller one than before is of further work."""
        now = self._clock()
        if share < self._share:
            self._begun = now
        self._share, self._told = share, now

    def finish(self) -> None:
        """The node has ended."""
        self._usual = self._share = 0.0

    @property
    def left(self) -> float:
        """Seconds until all nodes have ended."""
        spent = self._clock() - self._begun
        usual = max(self._usual - spent, 0.0)
        if not self._share:
            return sum(self._waiting.values()) + usual
        measured = max((self._told - self._begun) / self._share - spent, 0.0)
        trust = min(self._share / _TRUSTED, 1.0)
        return sum(self._waiting.values()) + (1 - trust) * usual + trust * measured


class StillColumn(ProgressColumn):
    """`still 3:05`, by a pace."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        """What is left, in minutes and seconds."""
        minutes, seconds = divmod(round(self._pace.left), 60)
        return Text(f"still {minutes}:{seconds:02}", style="progress.remaining")
