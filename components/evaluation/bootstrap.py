"""A paired bootstrap over users that sums up in one pass and in any order."""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.examples.hashing import mix

# The cumulative distribution of Poisson with mean 1, up to 11.
POISSON_CDF = np.cumsum([math.exp(-1.0) / math.factorial(k) for k in range(12)])
GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)  # between the states of SplitMix64's streams


def user_weights(users: NDArray[Any], replicates: int, seed: int) -> NDArray[Any]:
    """Draws how often each replicate holds each user: Poisson with mean 1.

    The Poisson bootstrap (Chamandy and others, 2012) stands in for drawing users with replacement.
    A weight depends on the user, the replicate and the seed alone, so examples may come in any
    order and from any worker, and both sides of a comparison see the same draws.

    Args:
      users: int64 [users], any identifying number.
      replicates: how many to draw.
      seed: of the draws.

    Returns:
      float64 [users, replicates].
    """
    with np.errstate(over="ignore"):
        columns = np.arange(1, replicates + 1, dtype=np.uint64) * GOLDEN_GAMMA + np.uint64(seed)
        state = mix(users.astype(np.uint64))[:, np.newaxis] + columns
        uniform = mix(state) / np.float64(2**64)
    return np.searchsorted(POISSON_CDF, uniform, side="right").astype(np.float64)


def replicate_sums(
    users: NDArray[Any], columns: NDArray[Any], replicates: int, seed: int
) -> NDArray[Any]:
    """Sums columns as they are and once per replicate.

    Args:
      users: int64 [examples].
      columns: float64 [examples, columns]; a column of ones makes the counts.
      replicates: how many resamples.
      seed: of the draws.

    Returns:
      float64 [1 + replicates, columns]: the plain sums first.
    """
    different, index = np.unique(users, return_inverse=True)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(different)))
    per_user = np.add.reduceat(columns[order], starts, axis=0)
    resampled = user_weights(different, replicates, seed).T @ per_user
    return np.concatenate([columns.sum(0, keepdims=True), resampled])


def interval(replicated: NDArray[Any], level: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """The percentile interval of metrics' replicates at a level such as 0.95.

    Args:
      replicated: float64 [replicates] or [replicates, metrics]; replicates that are no number, as
        those that hold nobody, are left out.
      level: the share of replicates between the ends.

    Returns:
      The low and the high ends, float64 [] or [metrics]; NaN where no replicate is a number.
    """
    tail = 50 * (1 - level)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        low, high = np.nanpercentile(replicated, [tail, 100 - tail], axis=0)
    return low, high
