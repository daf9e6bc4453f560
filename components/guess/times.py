"""Finds out in which form a column says its times."""

from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read.times import moments
from components.guess.sample import Column
from components.guess.told import Told
from schemas.time_formats import ISO, UNITS

_FIRST, _AFTER = (
    int(np.datetime64(day, "us").astype(np.int64)) for day in ("1990-01-01", "2100-01-01")
)
_NUMBERS = ("%Y%m%d", "%Y%m%d%H%M%S", *UNITS)
_DAYS = (
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y",
    "%Y/%m/%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%a, %d %b %Y",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S %z", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
_OTHERS = ("%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M:%S %Y")
_READABLE = 0.99  # of the cells: with more bad rows a run stops
_LOOKED_AT = 20  # different cells that are tried in each form, before all are


def guess_times(column: Column) -> Told | None:
    """The form of a column's times and what it is seen by; None if they are no times.

    Of forms that read all cells, the one that reads them in the order of the file is taken: where
    no day is beyond the 12th, days and months look alike.
    """
    if not len(column.filled) or len(column.filled) < _READABLE * len(column.cells):
        return None
    if column.timed:
        return Told(ISO, "its type says the moment")
    some = column.filled.unique()[:_LOOKED_AT]
    forms = [form for form in _forms(some) if _reads(some, form)]
    forms = [form for form in forms if _reads(column.filled, form)]
    if not forms:
        return None
    form = min(forms, key=lambda form: _steps_back(column.filled, form))
    return Told(form, _range(column.filled, form) + _doubt(forms, column))


def _forms(cells: pa.StringArray) -> list[str]:
    if pc.all(pc.match_substring_regex(cells, r"^\d+(\.\d+)?$")).as_py():
        return [*_NUMBERS]
    return [ISO, *map("".join, product(_DAYS, _CLOCKS)), *_OTHERS]


def _reads(cells: pa.StringArray, form: str) -> bool:
    """Whether nearly all cells are times from 1990 up to 2100 in this form."""
    stamps = moments(cells, form)
    inside = pc.and_(pc.greater_equal(stamps, _FIRST), pc.less(stamps, _AFTER))
    return (pc.sum(inside.cast(pa.int64())).as_py() or 0) >= _READABLE * len(cells)


def _steps_back(cells: pa.StringArray, form: str) -> int:
    stamps = moments(cells, form).drop_null().to_numpy()
    return int((np.diff(stamps) < 0).sum())


def _range(cells: pa.StringArray, form: str) -> str:
    stamps = moments(cells, form)
    first, last = (
        np.datetime64(int(one(stamps).as_py()), "us").astype("datetime64[D]")
        for one in (pc.min, pc.max)
    )
    return f"read so, the times are from {first} to {last}"


def _doubt(forms: list[str], column: Column) -> str:
    alike = sorted({form[:5] for form in forms} & {"%d/%m", "%m/%d", "%d-%m", "%m-%d"})
    back = {_steps_back(column.filled, form) for form in forms} if len(alike) > 1 else set()
    if len(alike) > 1 and len(back) == 1:
        return f"; whether {' or '.join(alike)} is meant is not sure: look at it"
    return ""
