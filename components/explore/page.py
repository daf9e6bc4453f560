"""Renders the data page out of plain facts."""

from typing import Any

from components.explore.content import Content
from components.explore.findings import Finding
from components.explore.page_charts import one_each, page_charts
from components.pages.html import html
from schemas.words import MOVIE, Item

PACKAGE = "components.explore"
SECTIONS = (
    ("words", "Before training"), ("movie", "One movie"), ("splits", "Splits"), ("times", "When"),
    ("ratings", "Ratings"), ("users", "Users"), ("movies", "Movies"),
    ("makers", "Genres and makers"), ("quality", "What is missing"),
)  # fmt: skip


def render(
    content: Content, findings: list[Finding], source: str, made: str, item: Item = MOVIE
) -> str:
    """The page.

    Args:
      content: see `make_content`.
      findings: what to know before training.
      source: the name of the data.
      made: when the page was made.
      item: what the source calls the movies.
    """
    missing = {
        *(() if "movie" in content else ("movie",)),
        *(() if content["times"] else ("times",)),
        *(() if content["movies"]["by"] else ("makers",)),
    }
    context = {
        "facts": content,
        "sentences": findings,
        "source": source,
        "made": made,
        "worded": item.worded,
        "sections": [
            (place, item.worded(title)) for place, title in SECTIONS if place not in missing
        ],
        "numbers": [(item.worded(name), value) for name, value in numbers(content)],
        "split_rows": split_rows(content, item),
        "labels": content["labels"],
        "one_each": [content["labels"][name] for name in one_each(content)],
    }
    return html("explore.html.j2", context, page_charts(content, item), PACKAGE)


def numbers(content: Content) -> list[tuple[str, str]]:
    """The data in a few numbers, of all splits together."""
    rows, users, movies = content["rows"], content["users"]["number"], content["movies"]["rated"]
    means = [content["splits"][name] for name in ("train", "valid", "eval")]
    mean = sum(s["rated"] * (s["mean"] or 0.0) for s in means) / max(1, content["rated"])
    shown = [
        ("ratings", f"{rows['kept']:,}"), ("users", f"{users:,}"),
        ("movies rated", f"{movies:,} of {content['movies']['catalogue']:,}"),
        ("filled of users x movies", f"{rows['kept'] / (users * movies):.2%}"),
        *([("mean rating", f"{mean:.2f}")] if content["rated"] else []),
        ("ratings of a user, median", f"{content['users']['median']:,}"),
    ]  # fmt: skip
    if content["times"]:
        timeline = content["times"]["timeline"]
        months = sorted(row["month"] for row in timeline)
        shown += [("oldest", months[0]), ("newest", months[-1])]
    return shown


SPLIT_ROWS = (
    ("ratings", "ratings", "{:,}"), ("users", "users", "{:,}"), ("movies", "movies", "{:,}"),
    ("rated", "of them with a value", "{:,}"), ("mean", "mean rating", "{:.3f}"),
    ("deviation", "standard deviation", "{:.3f}"),
    ("constant_error", "RMSE of always saying train's mean", "{:.3f}"),
    ("new_users", "ratings of users that train never saw", "{:.1%}"),
    ("new_movies", "ratings of movies that train never saw", "{:.1%}"),
    ("short_list", "ratings of train's 10 most rated movies", "{:.1%}"),
)  # fmt: skip


def split_rows(content: Content, item: Item = MOVIE) -> list[dict[str, Any]]:
    """The table of the splits: a row per measure, a cell per split; see `render` for `item`."""
    return [
        {
            "name": item.worded(name),
            "cells": [
                "" if split.get(key) is None else form.format(split[key])
                for split in content["splits"].values()
            ],
        }
        for key, name, form in SPLIT_ROWS
    ]
