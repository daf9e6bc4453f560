"""Numbers by bucket: where the buckets of a number begin, what they are called, which holds what.

A bucket holds what is not below its bound and below the next one. The name of each says its ends,
so that the names alone, which are kept as any vocabulary is, tell the bounds.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

BUCKETS = 10  # of about equally many, where there are as many different numbers
_UNDER, _TO, _OVER, _ALL = "under ", " to ", " and over", "any number"
Floats = npt.NDArray[np.float32]


def rounded(quantiles: npt.ArrayLike) -> list[float]:
    """The bounds between buckets: the quantiles, each once, rounded to a twentieth of a bucket.

    So bounds are short to read, and stay what they are where the data change little.
    """
    exact = np.unique(np.asarray(quantiles, np.float32).astype(np.float64))
    exact = exact[np.isfinite(exact)]
    if len(exact) < 2:
        return [float(bound) for bound in exact]
    gaps = np.diff(exact)
    nearest = np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps))
    places = 1 - np.floor(np.log10(nearest)).astype(int)
    bounds = [round(b, p) for b, p in zip(exact.tolist(), places.tolist(), strict=True)]
    return [float(bound) for bound in np.unique(bounds)]


def bucket_names(bounds: Sequence[float]) -> list[str]:
    """What the buckets between these bounds are called, ascending: one more than there are bounds.

    >>> bucket_names([90, 120.5])
    ['under 90', '90 to 120.5', '120.5 and over']
    """
    if not len(bounds):
        return [_ALL]
    ends = [np.format_float_positional(np.float64(bound), trim="-") for bound in bounds]
    between = [f"{low}{_TO}{high}" for low, high in pairwise(ends)]
    return [f"{_UNDER}{ends[0]}", *between, f"{ends[-1]}{_OVER}"]


def bounds_of(names: Sequence[str]) -> list[float]:
    """The bounds that `bucket_names` was given.

    >>> bounds_of(['under 90', '90 to 120.5', '120.5 and over'])
    [90.0, 120.5]
    """
    return [float(name.partition(_TO)[0].removesuffix(_OVER)) for name in names[1:]]


def bucket_rows(numbers: npt.ArrayLike, bounds: Sequence[float]) -> npt.NDArray[np.int64]:
    """The place of each number's bucket; numbers (none NaN) and bounds count as float32."""
    ends = np.asarray(bounds, np.float32)
    return np.searchsorted(ends, np.asarray(numbers, np.float32), side="right").astype(np.int64)


def quantile_bounds(numbers: Floats, weights: npt.ArrayLike | None = None) -> list[float]:
    """The bounds of buckets that hold about equally many.

    Args:
      numbers: float32 [numbers]; NaN is left out.
      weights: how often each counts; default: once.
    """
    known = ~np.isnan(numbers)
    values = numbers[known]
    times = np.ones(len(values)) if weights is None else np.asarray(weights, float)[known]
    if not times.sum():
        return []
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(times[order]) / times.sum()
    places = np.searchsorted(shares, np.arange(1, BUCKETS) / BUCKETS)
    return rounded(values[order][np.minimum(places, len(values) - 1)])


def bucketed(numbers: Floats, weights: npt.ArrayLike | None = None) -> list[str]:
    """The name of each number's bucket among those of `quantile_bounds`; none of them is NaN."""
    bounds = quantile_bounds(numbers, weights)
    names = bucket_names(bounds)
    return [names[row] for row in bucket_rows(numbers, bounds)]


def places_of(names: Sequence[str]) -> list[float]:
    """Where each of some buckets begins, by which they are ordered: from minus infinity on."""
    return [-np.inf if name.startswith((_UNDER, _ALL)) else bounds_of(["", name])[0]
            for name in names]  # fmt: skip
