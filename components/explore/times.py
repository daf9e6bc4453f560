"""When ratings were given: by month, day of the week, hour and over the years, all in UTC."""

import calendar
from typing import Any

import numpy as np
import pyarrow as pa

from components.example_gen.split.splits import SPLITS

Rows = list[dict[str, Any]]
EPOCH = 1970
MONTHS, DAYS = list(calendar.month_abbr)[1:], list(calendar.day_abbr)


def by_month_of_year(months: pa.Table) -> Rows:
    """Ratings of each of the twelve months, all years together."""
    numbers = np.bincount(months["month"].to_numpy() % 12, months["n"].to_numpy(), 12)
    return _bars(MONTHS, numbers)


def by_weekday(hours: pa.Table) -> Rows:
    """Ratings of each day of the week."""
    return _bars(DAYS, np.bincount(hours["weekday"].to_numpy(), hours["n"].to_numpy(), 7))


def by_hour(hours: pa.Table) -> Rows:
    """Ratings of each hour of the day."""
    numbers = np.bincount(hours["hour"].to_numpy(), hours["n"].to_numpy(), 24)
    return _bars([str(hour) for hour in range(24)], numbers)


def timeline(months: pa.Table) -> Rows:
    """Ratings of each month and split; months as '2001-05'."""
    return [
        {"month": _month(row["month"]), "split": SPLITS[row["split"]], "number": row["n"]}
        for row in months.to_pylist()
    ]


def by_year(months: pa.Table) -> Rows:
    """Number and mean (None where nothing was rated) of the ratings of each year that has any."""
    years = months["month"].to_numpy() // 12
    known, place = np.unique(years, return_inverse=True)
    numbers = np.bincount(place, months["n"].to_numpy())
    sums, rated = (np.bincount(place, months[name].to_numpy()) for name in ("sum", "rated"))
    return [
        {"year": int(EPOCH + year), "number": int(number), "mean": total / n if n else None}
        for year, number, total, n in zip(
            known, numbers, sums.tolist(), rated.tolist(), strict=True
        )
    ]


def busiest(months: pa.Table) -> tuple[str, float]:
    """The month with the most ratings, and its share of all."""
    known, place = np.unique(months["month"].to_numpy(), return_inverse=True)
    numbers = np.bincount(place, months["n"].to_numpy())
    most = int(np.argmax(numbers))
    return _month(int(known[most])), float(numbers[most] / numbers.sum())


def _month(number: int) -> str:
    year, month = divmod(number, 12)
    return f"{EPOCH + year:04d}-{month + 1:02d}"


def _bars(names: list[str], numbers: Any) -> Rows:
    return [{"bucket": n, "number": int(v)} for n, v in zip(names, numbers, strict=True)]
