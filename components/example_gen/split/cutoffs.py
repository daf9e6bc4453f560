"""Exact quantiles of timestamps over any number of rows, in bounded memory.

First the rows are counted by coarse stretches of time; the stretches that hold the wanted ranks
are then counted again by the second, and those seconds by the microsecond.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]

# How finely each level counts: by stretches of twelve days, which are few over decades, then by
# about a second, then by the microsecond. No stretch holds more than a million of the next level's.
_BITS = (40, 20, 0)
LEVELS = len(_BITS)


@dataclass(frozen=True)
class Histogram:
    """How often each value occurs. `values` and `counts`: [distinct], values ascending."""

    values: Int64s
    counts: Int64s

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return int(self.counts.sum())

    def find(self, rank: int) -> tuple[int, int]:
        """The value of the row of that rank (from 0), and the rank among the rows of that value."""
        ends = np.cumsum(self.counts)
        index = int(np.searchsorted(ends, rank, side="right"))
        return int(self.values[index]), rank - int(ends[index] - self.counts[index])


def count(values: Int64s) -> Histogram:
    """Counts equal values. [rows] -> [distinct]."""
    distinct, counts = np.unique(values, return_counts=True)
    return Histogram(distinct, counts.astype(np.int64))


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """The histogram of all their rows together."""
    parts = list(histograms)
    if not parts:
        return count(np.zeros(0, np.int64))
    values, inverse = np.unique(np.concatenate([p.values for p in parts]), return_inverse=True)
    counts = np.zeros(len(values), np.int64)
    np.add.at(counts, inverse, np.concatenate([p.counts for p in parts]))
    return Histogram(values, counts)


def coarse(timestamps: Int64s) -> Histogram:
    """Counts rows by coarse stretch of time. [rows] -> [stretches]."""
    return count(timestamps >> _BITS[0])


def finer(timestamps: Int64s, levels: Sequence[Histogram], needed: Iterable[int]) -> Histogram:
    """Counts rows one level finer, within the stretches of the last level that hold a cut-off.

    Args:
      timestamps: [rows], any part of the rows behind `levels`.
      levels: what `coarse` gives, then what this function gave, over all the rows.
      needed: for each cut-off, how many of all the rows must come before it; each at least 1.
    """
    wanted = np.array([_find(levels, rows - 1)[0] for rows in needed], np.int64)
    above, bits = _BITS[len(levels) - 1], _BITS[len(levels)]
    return count(timestamps[np.isin(timestamps >> above, wanted)] >> bits)


def cut(levels: Sequence[Histogram], needed: Iterable[int]) -> list[int]:
    """The smallest cut-offs that leave at least `needed` rows before them (strictly).

    `levels` are all `LEVELS` of them.
    """
    return [_find(levels, rows - 1)[0] + 1 for rows in needed]


def _find(levels: Sequence[Histogram], rank: int) -> tuple[int, int]:
    """What `Histogram.find` gives of the last level."""
    stretch, rank = levels[0].find(rank)
    for place, level in enumerate(levels[1:], 1):
        inside = level.values >> (_BITS[place - 1] - _BITS[place]) == stretch
        stretch, rank = Histogram(level.values[inside], level.counts[inside]).find(rank)
    return stretch, rank
