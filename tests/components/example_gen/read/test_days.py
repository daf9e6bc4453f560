"""The day that a cell names."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.read.days import day_of, year_and_fraction
from components.example_gen.read.times import moments

FORMATS = ("%d.%m.%Y", "%Y%m%d", "%d %B %Y", "%b %d, %y", "%Y-%j", "%A, %Y-%m-%d %H:%M")


@settings(deadline=None)
@given(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 12, 31)),
       st.sampled_from(FORMATS))  # fmt: skip
def test_it_is_the_day_of_the_moment_that_ratings_have(moment, form):
    cell = moment.strftime(form)
    (stamp,) = moments(pa.array([cell]), form).to_pylist()
    day = np.datetime64(stamp, "us").astype("datetime64[D]").item()
    assert day_of(cell, form) == day == moment.date()
    assert day_of(moment.isoformat(), "iso") == day
    assert day_of(str(stamp), "microseconds") == day


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("", "iso"), ("soon", "iso"), ("2001-02-29", "iso"), ("0000-01-01", "iso"),
        ("2001-366", "%Y-%j"), ("1 Foo 2001", "%d %b %Y"), ("x", "seconds"), ("1e300", "seconds"),
        ("nan", "seconds"), ("31.4.2001", "%d.%m.%Y"),
    ],
)  # fmt: skip
def test_what_names_no_day(cell, form):
    assert day_of(cell, form) is None


def test_a_year_goes_by_evenly():
    assert year_and_fraction(datetime.date(1999, 1, 1)) == 1999.0
    assert year_and_fraction(datetime.date(1999, 12, 31)) == 1999.997
    assert year_and_fraction(datetime.date(2020, 7, 1)) == pytest.approx(2020 + 182 / 366, abs=6e-4)
