"""Distributions of the data as the report shows them."""

import datetime
from collections.abc import Mapping
from typing import Any

from components.examples.activity import Activity
from components.pages.histograms import histogram

EPOCH = datetime.datetime(1970, 1, 1)


def distributions(activity: Activity, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Distributions of train, and the range of times of all ratings."""
    times = [_day(moment) for moment in rows.get("time_range") or ()]
    return {
        "ratings": [{"bucket": f"{r:g}", "number": n} for r, n in activity.ratings.items()],
        "activity": histogram(activity.per_user),
        "popularity": histogram(activity.per_movie),
        "users": rows.get("users"),
        "movies": rows.get("movies"),
        "times": times,
    }


def _day(moment: int) -> str:
    """The day (UTC) of microseconds since 1970."""
    return f"{EPOCH + datetime.timedelta(microseconds=moment):%Y-%m-%d}"
