"""Times: what is written is what is read, to the microsecond, in every form."""

from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.read.times import misread, moments
from schemas.time_formats import UNITS, time_format

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1900, 1, 3), datetime(9998, 12, 30), timezones=zones)
FORMATS = (
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%d/%b/%Y:%H:%M:%S.%f %z",
    "%A, %B %d, %Y %I:%M:%S.%f %p %z",
    "%Y%m%dT%H%M%S.%f%z",
    "%Y-%jT%T.%f%z",
    "%F %T.%f %z",
)


def _read(cells: list[str], form: str) -> list[int | None]:
    found: list[int | None] = moments(pa.array(cells, pa.string()), time_format(form)).to_pylist()
    return found


def _microseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


@given(st.lists(times, min_size=1, max_size=5), st.sampled_from(FORMATS))
def test_a_format_reads_what_strftime_writes(found, form):
    cells = [time.strftime(form) for time in found]
    assert _read(cells, form) == [_microseconds(time) for time in found]


@given(st.lists(times, min_size=1, max_size=5), st.sampled_from(["auto", "seconds"]))
def test_iso_reads_what_isoformat_writes(found, timespec):
    cells = [time.isoformat(timespec=timespec) for time in found]
    spaced = [cell.replace("T", " ") for cell in cells]
    whole = [time if timespec == "auto" else time.replace(microsecond=0) for time in found]
    expected = [_microseconds(time) for time in whole]
    assert _read(cells, "ISO 8601") == _read(spaced, "iso") == expected


@given(st.integers(0, 200 * 366 * 86_400 * 10**6), st.sampled_from(sorted(UNITS)))
def test_a_unit_keeps_its_digits(time, unit):
    per_second = UNITS[unit]
    whole, rest = divmod(time * per_second, 10**6)
    cell = f"{whole}.{rest:06d}" if per_second < 10**6 else str(whole)
    # A fraction is read as a number of 53 bits, which is exact to the microsecond until 2255.
    assert _read([cell], unit) == _read([cell, "x"], unit)[:1] == [time]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2022-05-28T00:54:53Z", 0),
        ("2022-05-28T02:54:53+02:00", 0),
        ("2022-05-28T02:54:53+0200", 0),
        ("2022-05-28 02:54:53+02", 0),
        ("2022-05-28 00:54:53 UTC", 0),
        ("20220528T005453Z", 0),
        ("2022-05-27t20:54:53.0-04:00", 0),
        ("2022-05-28T00:54:53.5", 500_000),
        ("2022-05-28T00:54:53,123456789Z", 123_456),
        ("2022-05-28T00:54", -53_000_000),
        ("2022-05-28", -(54 * 60 + 53) * 1_000_000),
    ],
)
def test_forms_of_iso(cell, expected):
    moment = _microseconds(datetime(2022, 5, 28, 0, 54, 53, tzinfo=timezone.utc))
    assert _read([cell], "iso") == [moment + expected]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2022-02-29", "iso"), ("2022-13-01", "iso"), ("2022-00-10", "iso"),
        ("2022-05-28T24:00", "iso"), ("0x10", "seconds"),
        ("2022-05-28T10:60", "iso"), ("1899-12-31", "iso"), ("2022-05-28T10:00+99:00", "iso"),
        ("2022-05-28 10:00 PST", "iso"), ("28.05.2022", "iso"), ("", "iso"), ("366/2021", "%j/%Y"),
        ("13:00 am 1.2.2020", "%I:%M %p %d.%m.%Y"), ("Foo 1, 2020", "%B %d, %Y"),
        ("2017823", "%Y%m%d"), ("-1", "seconds"), ("nan", "seconds"), ("1e300", "seconds"),
        ("253402300800", "seconds"), ("253402300800000", "milliseconds"), ("x", "microseconds"),
        ("2022-05-28 10:00 CEST", "%Y-%m-%d %H:%M %Z"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_null(cell, form):
    assert _read([cell], form) == [None]
    assert _read(["2022-05-28T10:00Z", cell], "iso")[0] is not None


def test_dates_before_1970_are_times():
    assert _read(["1969-12-31"], "%Y-%m-%d") == [-86_400_000_000]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("yyyy-MM-dd", "take seconds, milliseconds, microseconds"),
        ("ms", "take seconds, milliseconds, microseconds"),
        ("%c", "%c, which cannot be read"),
        ("%Y-%m-%d %Q", "%Q, which cannot be read"),
        ("%", "which cannot be read"),
        ("%Y-%m", "needs a year, a month and a day"),
        ("%H:%M", "needs a year, a month and a day"),
        ("%Y-%m-%d %I:%M", "needs both %I and %p"),
        ("%Y %Y-%m-%d", "says the year twice"),
        ("%Y-%m-%d %z %Z", "twice"),
    ],
)
def test_a_format_that_cannot_be_read_is_refused(form, sentence):
    with pytest.raises(ValueError, match=sentence):
        time_format(form)


@given(st.lists(st.integers(0, 10_000_000)), st.sampled_from(["seconds", "milliseconds"]))
def test_counters_are_left_alone(counted, unit):
    """Small numbers are likely times in no other unit either: whoever made them up keeps them."""
    cells = pa.array([str(n) for n in counted], pa.string())
    assert not list(misread(cells, unit, moments(cells, unit)))


@given(st.integers(631_152_000, 4_102_444_799), st.sampled_from(sorted(UNITS)))
def test_a_likely_time_in_another_unit_is_told(second, unit):
    cells = [str(second * UNITS[other]) for other in UNITS]
    found = dict(misread(pa.array(cells), unit, moments(pa.array(cells), unit)))
    expected = {other: [cell == other for cell in UNITS] for other in UNITS if other != unit}
    assert {form: where.to_pylist() for form, where in found.items()} == expected
