"""Reads times as microseconds since 1970, null where a cell is none."""

import calendar
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read.values import numbers
from schemas.time_formats import ISO, UNITS, pattern

Int64s = npt.NDArray[np.int64]
SECOND = 1_000_000  # microseconds
_FIRST_YEAR, _LAST_YEAR = 1900, 9999
_LAST = 253_402_300_799 * SECOND  # the end of the year 9999: what is later is no time
_MONTH_NAMES = [name.lower() for name in (*calendar.month_abbr[1:], *calendar.month_name[1:])]
# Between these years a time is likely; in a unit that is wrong it lies in 1970, or far ahead.
_LIKELY = tuple(
    int(np.datetime64(day, "us").astype(np.int64)) for day in ("1990-01-01", "2100-01-01")
)
_BEGUN = int(np.datetime64("1971-01-01", "us").astype(np.int64))
_GUESSES = (*UNITS, "%Y%m%d", "%Y%m%d%H%M%S", ISO)


def moments(cells: pa.StringArray, form: str) -> pa.Array:
    """Microseconds since 1970 (int64), null where the cell is no time.

    Numbers are times from 1970 on, dates those from 1900 on; where no zone is said, it is UTC.

    Args:
      cells: string.
      form: a unit of `UNITS`, `iso` or a format of directives.
    """
    if form in UNITS:
        return _since_1970(cells, UNITS[form])
    encoded = pc.dictionary_encode(cells)
    return pc.take(_dates(encoded.dictionary, form), encoded.indices)


def misread(
    cells: pa.StringArray, form: str, stamps: pa.Array
) -> Iterator[tuple[str, pa.BooleanArray]]:
    """Finds times that are likely in another form only.

    Whole years of ratings lie in the January of 1970 where seconds are read as milliseconds, and
    far ahead the other way round; a date such as 20170823 is a summer's day of 1970 in seconds.

    Args:
      cells: string.
      form: what they were read as.
      stamps: what `moments` made of them.

    Yields:
      A form, and which cells it fits: no time, or one of 1970 or after 2100, as they were read,
      and one of 1990 to 2100 in that form.
    """
    odd = pc.is_null(stamps)
    if form in UNITS:
        far = pc.or_(pc.less(stamps, _BEGUN), pc.greater_equal(stamps, _LIKELY[1]))
        odd = pc.or_(odd, pc.fill_null(far, False))
    rows = np.flatnonzero(_bools(odd))
    for guess in _GUESSES if len(rows) else ():
        fits = np.zeros(len(cells), np.bool_)
        fits[rows] = guess != form and _bools(_likely(cells.take(pa.array(rows)), guess))
        if fits.any():
            yield guess, pa.array(fits)


def _likely(cells: pa.StringArray, form: str) -> pa.BooleanArray:
    stamps = moments(cells, form)
    inside = pc.and_(pc.greater_equal(stamps, _LIKELY[0]), pc.less(stamps, _LIKELY[1]))
    return pc.fill_null(inside, False)


def _since_1970(cells: pa.StringArray, per_second: int) -> pa.Array:
    try:
        if pc.any(pc.match_substring(cells, "x", ignore_case=True)).as_py():
            raise pa.ArrowInvalid("Arrow's whole numbers may be hexadecimal")
        stamps = cells.cast(pa.int64())
        if per_second > SECOND:
            stamps = pc.divide(stamps, per_second // SECOND)
        least, most = 0, _LAST if per_second > SECOND else _LAST // (SECOND // per_second)
        stamps = _within(stamps, least, most)
        return stamps if per_second > SECOND else pc.multiply(stamps, SECOND // per_second)
    except pa.ArrowInvalid:  # fractions, words, or nothing
        stamps = pc.multiply(numbers(cells), SECOND / per_second)
        return pc.round(_within(stamps, 0.0, float(_LAST))).cast(pa.int64())


def _within(values: pa.Array, least: float, most: float) -> pa.Array:
    inside = pc.and_(pc.greater_equal(values, least), pc.less_equal(values, most))
    return pc.if_else(inside, values, pa.scalar(None, values.type))


def _dates(cells: pa.StringArray, form: str) -> pa.Array:
    """Reads whatever has the format's pattern and is a day and a time that there are."""
    matches = pc.extract_regex(cells, pattern=pattern(form))
    parts = dict(zip((field.name for field in matches.type), matches.flatten(), strict=True))
    known = _bools(pc.is_valid(matches))
    numbers_of = {
        name: _integers(text)
        for name, text in parts.items()
        if name not in ("month_name", "half", "zone", "zone_sign", "fraction")
    }
    days, is_day = _days(numbers_of, parts)
    seconds, is_time = _seconds_of_day(numbers_of, parts)
    offset, is_zone = _offset(numbers_of, parts)
    stamps = (days * 86_400 + seconds - offset) * SECOND + _fraction(parts, len(cells))
    return pa.array(stamps, mask=~(known & is_day & is_time & is_zone))


def _days(numbers_of: dict[str, Int64s], parts: dict[str, pa.Array]) -> tuple[Int64s, Any]:
    """Days since 1970, and whether there is such a day."""
    if "year" in numbers_of:
        year = numbers_of["year"]
    else:  # as POSIX has it, 69 to 99 are of the last century
        short = numbers_of["short_year"]
        year = short + np.where(short < 69, 2000, 1900)
    valid = (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
    if "day_of_year" in numbers_of:
        month, day = np.ones_like(year), numbers_of["day_of_year"]
    else:
        month, day = _month(numbers_of, parts), numbers_of["day"]
    first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    start = first.astype("datetime64[D]").astype(np.int64)
    after = (first + (12 if "day_of_year" in numbers_of else 1)).astype("datetime64[D]")
    valid &= (month >= 1) & (month <= 12) & (day >= 1) & (start + day <= after.astype(np.int64))
    return start + day - 1, valid


def _month(numbers_of: dict[str, Int64s], parts: dict[str, pa.Array]) -> Int64s:
    if "month" in numbers_of:
        return numbers_of["month"]
    names = pa.array([*_MONTH_NAMES, "sept"])
    place = pc.index_in(pc.utf8_lower(parts["month_name"]), value_set=names)
    month = pc.fill_null(place, -1).to_numpy().astype(np.int64)
    month = np.where(month == len(names) - 1, 8, month)
    return np.where(month < 0, 0, month % 12 + 1)


def _seconds_of_day(
    numbers_of: dict[str, Int64s], parts: dict[str, pa.Array]
) -> tuple[Int64s, Any]:
    """Seconds since midnight, and whether there is such a time."""
    zero: Int64s = np.zeros_like(next(iter(numbers_of.values())))
    hour, minute, second = (numbers_of.get(n, zero) for n in ("hour", "minute", "second"))
    valid = (hour < 24) & (minute < 60) & (second < 60)
    if "half_hour" in numbers_of:
        twelfth = numbers_of["half_hour"]
        valid &= (twelfth >= 1) & (twelfth <= 12)
        hour = twelfth % 12 + 12 * _bools(pc.equal(pc.utf8_lower(parts["half"]), "p"))
    seconds: Int64s = hour * 3600 + minute * 60 + second
    return seconds, valid


def _offset(numbers_of: dict[str, Int64s], parts: dict[str, pa.Array]) -> tuple[Int64s, Any]:
    """Seconds that the zone is ahead of UTC, and whether there may be such a zone."""
    zero: Int64s = np.zeros_like(next(iter(numbers_of.values())))
    hours, minutes = (numbers_of.get(name, zero) for name in ("zone_hours", "zone_minutes"))
    offset: Int64s = hours * 3600 + minutes * 60
    if "zone_sign" in parts:
        offset = np.where(_bools(pc.equal(parts["zone_sign"], "-")), -offset, offset)
    return offset, (hours < 24) & (minutes < 60)


def _fraction(parts: dict[str, pa.Array], rows: int) -> Int64s:
    if "fraction" not in parts:
        return np.zeros(rows, np.int64)
    padded = pc.utf8_rpad(parts["fraction"], 6, padding="0")
    return _integers(pc.utf8_slice_codeunits(padded, 0, 6))


def _integers(text: pa.Array) -> Int64s:
    """Numbers of digits; 0 where there is none."""
    digits = pc.if_else(pc.fill_null(pc.equal(text, ""), True), "0", text)
    return np.asarray(digits.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _bools(values: pa.BooleanArray) -> Any:
    return pc.fill_null(values, False).to_numpy(zero_copy_only=False)
