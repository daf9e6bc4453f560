"""How well predicted ratings put each user's own ratings in order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def rated_ndcg(
    person: Array, rating: Array, predicted: Array, lowest: float, k: int | None = None
) -> float:
    """NDCG of each user's rated movies in the order of their predictions, mean over users.

    The gain is the rating above the scale's low end, the discount that of Jarvelin and Kekalainen
    (2002), one over log2(1 + place). Equal predictions share the mean over their orders (McSherry
    and Najork, 2008). Users with fewer than two ratings, or with all alike, have no order to find
    and are left out.

    Args:
      person: [rows], one number for each user.
      rating, predicted: [rows], on the data's scale.
      lowest: the scale's low end.
      k: places that count; default: all.

    Returns:
      Between 0 and 1; no number where no user is left.
    """
    _, person = np.unique(person, return_inverse=True)
    gain = np.asarray(rating, np.float64) - lowest
    reached = _discounted_gain(person, gain, np.asarray(predicted), k)
    best = _discounted_gain(person, gain, gain, k)
    most, least = np.full(len(best), -np.inf), np.full(len(best), np.inf)
    np.maximum.at(most, person, gain)
    np.minimum.at(least, person, gain)
    judged = most > least
    return float(np.mean(reached[judged] / best[judged])) if judged.any() else float("nan")


def _discounted_gain(person: Array, gain: Array, score: Array, k: int | None) -> Array:
    """Each person's sum of gains by place, greatest score first, ties shared: [people]."""
    order = np.lexsort((-score, person))
    person, gain, score = person[order], gain[order], score[order]
    place = 1 + np.arange(len(person)) - np.searchsorted(person, person)
    discount = np.where(place <= (k or len(person)), 1 / np.log2(1 + place), 0.0)
    tied = np.cumsum(_starts(person) | _starts(score)) - 1
    shared = np.bincount(tied, discount) / np.bincount(tied)
    return np.bincount(person, gain * shared[tied])


def _starts(values: Array) -> Array:
    """Where a value differs from the one before: bool [values]."""
    return np.append(True, values[1:] != values[:-1])
