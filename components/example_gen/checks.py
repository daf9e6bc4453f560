"""Checks that stop a run once its rows are counted: no model would be worth its training."""

from typing import NamedTuple

from components.example_gen.config import SplitConfig
from components.example_gen.read.problems import (
    DROPPED_MOVIE,
    RATING_ROWS,
    SUPERSEDED,
    UNKNOWN_MOVIE,
    Problems,
    Sample,
    check_share,
    hint,
)
from components.example_gen.read.times import SECOND
from components.examples.rows import RowTotals
from schemas.errors import UserError
from schemas.source import Source
from schemas.time_formats import UNITS


class _Numbers(NamedTuple):
    """Numbers that are given for times and count something else, from `first` up to `last`."""

    first: int
    last: int
    what: str
    advice: str


# From 1990 up to 2100. Read in any unit since 1970, either is less than a day, and no two overlap.
_NO_TIMES = (
    _Numbers(
        1990,
        2100,
        "years, and a year is no moment",
        "name a column that holds days under ratings.columns.timestamp, or leave timestamp out and "
        "take split.kind=random",
    ),
    _Numbers(
        32_874,
        73_050,
        "days as spreadsheets number them, from 1900 on",
        "save that column as text such as 2020-12-31 23:59:59, and say `timestamp: 'iso'` under "
        "ratings in the source",
    ),
)


def check_bad_rows(rows: RowTotals, split: SplitConfig, beside: Problems) -> None:
    """Stops a run that lost too many rows.

    Args:
      rows: as `report.total_rows` gives it.
      split: how they are split.
      beside: rows of the movie and user tables that were dropped.

    Raises:
      UserError: more rows are bad than `split.max_bad_share`.
    """
    samples = [Sample(s["reason"], s["file"], s["line"], s["text"]) for s in rows["samples"]]
    ratings = Problems(rows["dropped"], samples)
    good = rows["kept"] + rows["dropped"].get(SUPERSEDED, 0)
    try:
        check_share(ratings, good, split.max_bad_share, RATING_ROWS)
    except UserError as error:
        raise UserError(f"{_cause(ratings, beside)}{error}") from error


def check_times(rows: RowTotals, source: Source) -> None:
    """Stops a run whose times are numbers of something else.

    Where only some rows are so, they may well be times: of a clock that starts at 0, say.

    Raises:
      UserError: all times are years, or days as spreadsheets number them.
    """
    unit = source.ratings.timestamp
    if unit not in UNITS or not rows["time_range"]:
        return
    first, last = (moment * UNITS[unit] / SECOND for moment in rows["time_range"])
    for numbers in _NO_TIMES:
        if numbers.first <= first and last < numbers.last:
            raise UserError(
                f"All times of the ratings are numbers from {first:.10g} to {last:.10g}, which as "
                f"{unit} would be the first day of 1970: they seem to be {numbers.what}. So "
                f"{numbers.advice}."
            )


def check_splits(rows: RowTotals, split: SplitConfig) -> None:
    """Stops a run that has nothing to train on, or nothing to judge by.

    Raises:
      UserError: train or eval has no ratings.
    """
    for name in ("train", "eval"):
        if not rows["splits"][name]["ratings"]:
            raise UserError(
                f"No rating of {rows['kept']:,} falls into {name}: change the settings under "
                f"split (kind is {split.kind}), or give more data."
            )


def _cause(ratings: Problems, beside: Problems | None) -> str:
    """What went wrong before the ratings did: a movie that is dropped takes its ratings along."""
    first, cause = ratings.first(), beside.first() if beside else None
    if not (first and cause and beside and first.reason in (DROPPED_MOVIE, UNKNOWN_MOVIE)):
        return ""
    what = f"{cause.described()}, with {sum(beside.bad().values()):,} such rows dropped"
    return f"{what} beside the ratings.{hint(cause)} So "
