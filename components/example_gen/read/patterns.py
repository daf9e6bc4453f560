"""Searches cells with a source's regular expressions, some of which would never end."""

import re
import signal
from collections.abc import Callable
from threading import current_thread, main_thread
from types import FrameType
from typing import TypeVar

SECONDS = 1.0  # of the processor's time, for one cell

Found = TypeVar("Found")


class EndlessSearch(Exception):  # noqa: N818 (an outcome)
    """A search took longer than `SECONDS`; says so without a full stop."""


def search(pattern: str, cell: str) -> re.Match[str] | None:
    """As `re.search`; raises EndlessSearch."""
    return _bounded(pattern, cell, lambda: re.search(pattern, cell))


def matches(pattern: str, cell: str) -> list[re.Match[str]]:
    """As `re.finditer`, all at once; raises EndlessSearch."""
    return _bounded(pattern, cell, lambda: list(re.finditer(pattern, cell)))


def _bounded(pattern: str, cell: str, find: Callable[[], Found]) -> Found:
    """Sets the process an alarm, which Python's searches heed; only its main thread can."""
    if current_thread() is not main_thread():
        return find()
    before = signal.signal(signal.SIGVTALRM, _ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        return find()
    except _Alarm as alarm:
        raise EndlessSearch(
            f"the pattern {pattern!r} is not done with {cell[:60]!r} after {SECONDS:g} s: has it a "
            r"repeat within a repeat, such as (\w+)+"
        ) from alarm
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class _Alarm(Exception):  # noqa: N818 (no error)
    """The time is over."""


def _ring(number: int, frame: FrameType | None) -> None:
    raise _Alarm
