"""Moments in years, from which ages are counted: the same in Examples and in the model's graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY = 86_400_000_000  # microseconds
EPOCH, YEAR = 1970.0, 365.2425  # the year that moments are counted from, and a year's days


def days(moments: Any) -> Any:
    """The day of each moment, from 1970-01-01 on, of microseconds in integers of any shape."""
    return moments // DAY


def years_of(day: Any) -> Any:
    """Days since 1970, floating, as years: off by a day at most from the calendar's."""
    return EPOCH + day / YEAR


def years(moments: NDArray[np.int64]) -> NDArray[np.float64]:
    """Moments in microseconds since 1970 as years."""
    found: NDArray[np.float64] = years_of(days(moments).astype(np.float64))
    return found
