"""Exact quantiles of timestamps over any number of rows, in bounded memory.

First the rows are counted by coarse stretches of time; the stretches that hold the wanted ranks
are then counted again second by second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]

_COARSE_BITS = 20  # stretches of twelve days: few over decades, and never long to count again


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
    return count(timestamps >> _COARSE_BITS)


def fine(timestamps: Int64s, stretches: Histogram, needed: Iterable[int]) -> Histogram:
    """Counts rows by second within the stretches that hold a cut-off.

    Args:
        timestamps: [rows], any part of the rows behind `stretches`.
        stretches: what `coarse` gives, over all the rows.
        needed: for each cut-off, how many of all the rows must come before it; each at least 1.
    """
    wanted = np.array([stretches.find(rows - 1)[0] for rows in needed], np.int64)
    return count(timestamps[np.isin(timestamps >> _COARSE_BITS, wanted)])


def cut(stretches: Histogram, seconds: Histogram, needed: Iterable[int]) -> list[int]:
    """The smallest cut-offs that leave at least `needed` rows before them (strictly)."""
    return [_cut_one(stretches, seconds, rows - 1) for rows in needed]


def _cut_one(stretches: Histogram, seconds: Histogram, rank: int) -> int:
    stretch, rank_within = stretches.find(rank)
    inside = seconds.values >> _COARSE_BITS == stretch
    return Histogram(seconds.values[inside], seconds.counts[inside]).find(rank_within)[0] + 1
