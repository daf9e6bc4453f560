"""Reads the day that a cell names, one at a time: dates of movies, of which there are few."""

import calendar
import datetime
import re
from functools import cache, lru_cache

from schemas.time_formats import UNITS, pattern

_MONTHS = {name.lower()[:3]: place for place, name in enumerate(calendar.month_abbr) if name}
MONTHS, WEEKDAYS = calendar.month_name[1:], list(calendar.day_name)


@lru_cache(maxsize=1 << 16)
def day_of(cell: str, form: str) -> datetime.date | None:
    """The day as it is written, whatever the zone; None where the cell names none.

    Args:
      cell: text.
      form: a unit of `UNITS` since 1970, `iso` or a format of directives.
    """
    try:
        if form in UNITS:
            return datetime.date(1970, 1, 1) + datetime.timedelta(seconds=float(cell) / UNITS[form])
        found = _pattern(form).match(cell)
        return _day(found.groupdict()) if found else None
    except (ValueError, OverflowError):  # no number, or no such day
        return None


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(pattern(form), re.ASCII)


def _day(parts: dict[str, str | None]) -> datetime.date:
    """The day of the parts that `pattern` names.

    Raises:
      ValueError: there is no such day.
    """
    numbers = {name: int(text) for name, text in parts.items() if text and text.isdigit()}
    short = numbers.get("short_year", 0)
    year = numbers.get("year", short + (2000 if short < 69 else 1900))
    if "day_of_year" in numbers:
        day = datetime.date(year, 1, 1) + datetime.timedelta(days=numbers["day_of_year"] - 1)
        if day.year != year:
            raise ValueError("it is of another year")
        return day
    named = _MONTHS.get((parts.get("month_name") or "").lower()[:3], 0)
    return datetime.date(year, numbers.get("month", named), numbers["day"])


def year_and_fraction(day: datetime.date) -> float:
    """The year, and how much of it is over at the day's beginning: 2020-07-01 is 2020.497."""
    days = 366 if calendar.isleap(day.year) else 365
    return round(day.year + (day.timetuple().tm_yday - 1) / days, 3)
