"""What calls of the graph may hold: each has its price in bytes, from the shapes of its inputs."""

import ctypes
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import UserError

MOST = 1 << 30  # bytes that one call may take beyond what the smallest of its kind takes
SHARE = 0.8  # of the memory that there is, where no ceiling is given
# Bytes that a call holds at its peak, measured with the default model's widths and rounded up: of
# each event that is read, each movie that is scored, each movie that is held against a genre (as in
# earlier versions), each value that is held against wishes, each name that is looked up or rated,
# and each stored event that is listed.
EVENT, SCORE, MARK, VALUE, NAME, LISTED = 2000, 24, 2, 4, 500, 400
STORED = 1000  # events, at most, that the model reads of a user's stored history
LEFT_OUT = 50  # events, at most, that `explain` leaves out in turn
# Second axes of lists; those of others are of people.
OF_LISTS = ("exclude_movie_id", "genres", "having")
_NAMED = ("exclude_movie_id", "movie_id", "genres", "having")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.IGNORECASE)
Shapes = Mapping[str, tuple[int, ...]]


class TooMuch(UserError):  # noqa: N818 (it is a state)
    """A request would make the graph hold more than one request may."""


class Busy(Exception):  # noqa: N818 (it is a state)
    """As much is waiting, or held, as may be; its message says which."""


def price(signature: str, shapes: Shapes, movies: int, values: int = 0) -> int:
    """Bytes that a call of the graph takes at its peak, by an estimate that is rather too high.

    Args:
      signature: its name.
      shapes: of its inputs, by name. Those of one row count as broadcast to all rows; where the
        input is Examples, [rows, events].
      movies: of the catalogue.
      values: that wishes for categories are held against.
    """
    rows = max((shape[0] for shape in shapes.values() if shape), default=1)
    people = rows * (_people(shapes) if signature == "recommend_group" else 1)
    stored = min(STORED, movies)
    events = stored + _width(shapes, "history_movie_id", "history_rating", "examples")
    reads = 1 + min(events, LEFT_OUT) if signature == "explain" else 1
    if signature == "history":
        return rows * movies * LISTED
    return (
        people * reads * (events * EVENT + movies * SCORE)
        + rows * _width(shapes, "genres") * movies * MARK
        + rows * (_width(shapes, "genres", "having") > 0) * values * VALUE
        + rows * sum(_width(shapes, name) for name in _NAMED) * NAME
    )


def _people(shapes: Shapes) -> int:
    wide = (shape[1] for name, shape in shapes.items() if name not in OF_LISTS and shape[1:])
    return max(wide, default=1)


def _width(shapes: Shapes, *names: str) -> int:
    return max((shapes[name][-1] for name in names if shapes.get(name, ())[1:]), default=0)


class Budget:
    """Lets calls of the graph begin as long as there is memory for them."""

    def __init__(self, memory: int | None = None) -> None:
        """Holds nothing yet.

        Args:
          memory: bytes that this process may hold; default: as many as it likes.
        """
        self._memory, self._held = memory, 0
        self._lock, self._trimmed = threading.Lock(), 0.0

    @contextmanager
    def spend(self, cost: int, smallest: int) -> Iterator[None]:
        """Sets memory aside for a call, as long as it runs.

        Args:
          cost: its price.
          smallest: the price of the smallest call of its kind, which is never too much.

        Raises:
          TooMuch: it is too much for any one call.
          Busy: it is too much beside what is held now.
        """
        if cost > MOST + smallest:
            raise TooMuch(
                f"This would take {cost / 1e9:.1f} GB of memory, where one request may take "
                f"{(MOST + smallest) / 1e9:.1f}: ask for fewer rows, people, events, movies or "
                "genres at a time."
            )
        with self._lock:
            if not self._fits(cost):
                raise Busy("The server's memory is taken: try again in a second.")
            self._held += cost
        try:
            yield
        finally:
            with self._lock:
                self._held -= cost

    def _fits(self, cost: int) -> bool:
        """Whether it fits; what calls have left behind is given back first, once in a second."""
        if self._memory is None:
            return True
        free = self._memory - self._held - cost
        if resident() <= free:
            return True
        if time.monotonic() < self._trimmed + 1:
            return False
        give_back()
        self._trimmed = time.monotonic()
        return resident() <= free


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = Path("/proc/self/statm").read_bytes().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Gives the system what glibc keeps of freed memory; other C libraries keep little."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def ceiling(text: str | None) -> int:
    """Bytes that the process may hold.

    Args:
      text: such as "3G"; None: most of what there is for it, in its container or on the machine.

    Raises:
      UserError: it is no size.
    """
    if text is None:
        return int(SHARE * _there_is())
    found = _SIZE.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise UserError(f"--memory takes a size such as 3G or 800M, not {text!r}.")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))


def _there_is() -> int:
    """Bytes of memory for this process: the least of the machine's and its control group's."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for place in ("memory.max", "memory/memory.limit_in_bytes"):
        file = Path("/sys/fs/cgroup", place)
        if file.is_file() and (text := file.read_text(encoding="ascii").strip()).isdecimal():
            sizes.append(int(text))
    return min(sizes)
