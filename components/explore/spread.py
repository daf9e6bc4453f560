"""How unevenly ratings are spread over users and movies."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = list[dict[str, Any]]


def lorenz(counts: NDArray[Any], weights: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The Lorenz curve of counts, from (0, 0) to (1, 1).

    Args:
      counts: [n] ratings of a user or movie.
      weights: [n] how many have that count.

    Returns:
      Share of those with the fewest ratings, and the share of all ratings that they have: [n + 1].
    """
    order = np.argsort(counts, kind="stable")
    held = (counts * weights)[order]
    people, ratings = (np.concatenate([[0], np.cumsum(v)]) for v in (weights[order], held))
    return people / max(1, people[-1]), ratings / max(1, ratings[-1])


def gini(counts: NDArray[Any], weights: NDArray[Any]) -> float:
    """Gini's coefficient: 0 where all have the same, near 1 where one has all."""
    people, ratings = lorenz(counts, weights)
    return float(1 - np.sum(np.diff(people) * (ratings[1:] + ratings[:-1])))


def top_share(counts: NDArray[Any], weights: NDArray[Any], share: float) -> float:
    """The share of the ratings that the most active (or rated) `share` have."""
    people, ratings = lorenz(counts, weights)
    return float(1 - np.interp(1 - share, people, ratings))


def lorenz_rows(name: str, counts: NDArray[Any], weights: NDArray[Any], steps: int = 50) -> Rows:
    """The curve at even steps, for a chart."""
    people, ratings = lorenz(counts, weights)
    places = np.linspace(0, 1, steps + 1)
    held = np.interp(places, people, ratings)
    return [
        {"of": name, "share": float(p), "ratings": float(r)}
        for p, r in zip(places, held, strict=True)
    ]
