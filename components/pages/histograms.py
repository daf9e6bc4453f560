"""Histograms of counts as pages show them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


def histogram(counts: NDArray[Any], weights: NDArray[Any] | None = None) -> list[dict[str, Any]]:
    """How many of the counts (each at least 1) lie in each of `BUCKETS` that is reached.

    With weights each count stands for as many.
    """
    edges = np.array([*BUCKETS, np.inf])
    numbers, _ = np.histogram(counts, edges, weights=weights)
    last = int(np.flatnonzero(numbers).max(initial=-1)) + 1
    return [
        {"bucket": _bucket(edges[i], edges[i + 1]), "number": int(numbers[i])} for i in range(last)
    ]


def _bucket(low: float, high: float) -> str:
    if np.isinf(high):
        return f"{int(low):,} or more"
    return f"{int(low):,}" if high == low + 1 else f"{int(low):,}-{int(high) - 1:,}"
