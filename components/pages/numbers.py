"""Numbers as pages show them."""

from collections.abc import Sequence
from math import isnan


def number(value: float | None, signed: bool = False) -> str:
    """A number with four digits behind the point, signed where it is a difference."""
    if value is None or isnan(value):
        return "no number"
    return f"{value:+.4f}" if signed else f"{value:.4f}"


def interval(entry: Sequence[float | None]) -> str:
    """A value and, where it has an interval, its low and high end."""
    value, low, high = entry
    return number(value) + (f" ({number(low)} to {number(high)})" if low is not None else "")
