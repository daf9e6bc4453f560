"""Recommendations for a few real users beside what they rated, for a person to judge."""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any

import numpy as np
import tensorflow as tf

from components.evaluation.reload.signatures import inputs
from components.examples.arrow import filled
from components.examples.catalogue import read_catalogue
from components.examples.tables import tables
from components.exported.wishes import RETRIEVED
from schemas.text import to_text as text

READ = 4096  # eval Examples among which the users are chosen
PEOPLE = 4  # users shown
SHOWN = 10  # newest ratings shown of a history
MIX = 0.5  # of the predicted rating in the second list, where people are shown the first one
COLUMNS = ("user_id", "history_movie_id", "history_rating", "seen_movie_id")
Catalogue = Mapping[bytes, dict[str, str]]


def titles_and_genres(files: Sequence[str]) -> dict[bytes, dict[str, str]]:
    """Title and genres, as one text, of every movie of the catalogue by its id."""
    movies = read_catalogue(files, ["genres"])
    columns = filled(movies.ids), filled(movies.titles), movies.values("genres")
    return {
        movie: {"title": text(title), "genres": ", ".join(map(text, genres))}
        for movie, title, genres in zip(*columns, strict=True)
    }


def choose(files: Sequence[str]) -> list[dict[str, Any]]:
    """Picks the moment with the shortest history, and users with short to long ones at their last.

    Returns the `COLUMNS` of each, shortest history first.
    """
    last: dict[bytes, dict[str, Any]] = {}
    shortest: dict[str, Any] | None = None
    read = 0
    for table in tables(files, COLUMNS):
        for row in table.to_pylist():
            last[row["user_id"][0]] = row
            if shortest is None or _length(row) < _length(shortest):
                shortest = row
        read += len(table)
        if read >= READ:
            break
    if shortest is None:
        return []
    ordered = sorted(last.values(), key=lambda row: (_length(row), row["user_id"]))
    places = np.linspace(0, len(ordered) - 1, min(PEOPLE - 1, len(ordered))).round().astype(int)
    return [shortest, *(row for place in places if (row := ordered[place]) is not shortest)]


def _length(moment: Mapping[str, Any]) -> int:
    return len(moment["history_movie_id"] or [])


def recommend(
    model: Any, moments: Sequence[Mapping[str, Any]], catalogue: Catalogue, k: int, mix: float = MIX
) -> list[dict[str, Any]]:
    """Asks the loaded model for each user's lists, through the signature that serves them.

    One is ordered by how likely a movie is chosen next; the other, where ratings are predicted,
    with a mix of the predicted rating.
    """
    if not moments:
        return []
    signature = model.signatures["recommend_filtered"]
    lists = _lists(signature, moments, k, 0.0)
    mixed = _lists(signature, moments, k, mix) if "rating" in lists else None
    return [
        _person(row, lists, i, catalogue) | {"mixed": mixed and _listed(mixed, i, catalogue)}
        for i, row in enumerate(moments)
    ]


def _lists(
    signature: Any, moments: Sequence[Mapping[str, Any]], k: int, mix: float
) -> dict[str, Any]:
    """What the signature answers, with so much of the predicted rating in the order."""
    width = max(1, *map(_length, moments))
    movies = [_padded(row["history_movie_id"], b"", width) for row in moments]
    ratings = [_padded(_given(row), float("nan"), width) for row in moments]
    seen = [list(row.get("seen_movie_id") or []) for row in moments]
    longest = max(map(len, seen))
    asked = inputs(
        signature,
        exclude_movie_id=[_padded(own, b"", longest) for own in seen],
        user_id=tf.constant([row["user_id"][0] for row in moments]),
        history_movie_id=tf.constant(movies),
        history_rating=tf.constant(ratings, tf.float32),
        k=tf.constant(k),
        mix=tf.constant([mix]),
        retrieve=tf.constant([RETRIEVED]),
    )
    return {name: value.numpy() for name, value in signature(**asked).items()}


def _given(moment: Mapping[str, Any]) -> list[float]:
    """The ratings of a history, NaN where a movie was seen and not rated."""
    ratings = list(moment.get("history_rating") or [])
    return ratings + [nan] * (_length(moment) - len(ratings))


def _number(rating: float) -> float | None:
    return None if isnan(rating) else float(rating)


def _padded(values: Sequence[Any] | None, filler: Any, width: int) -> list[Any]:
    values = list(values or [])
    return [filler] * (width - len(values)) + values


def _person(
    moment: Mapping[str, Any], lists: Mapping[str, Any], row: int, catalogue: Catalogue
) -> dict[str, Any]:
    seen = zip(moment["history_movie_id"] or [], _given(moment), strict=True)
    newest = [_movie(movie, catalogue) | {"rating": _number(rating)} for movie, rating in seen]
    return {
        "user": text(moment["user_id"][0]),
        "rated": len(newest) + len(moment.get("seen_movie_id") or []),
        "known": bool(lists["known"][row]),
        "history": newest[::-1][:SHOWN],
        "recommended": _listed(lists, row, catalogue),
    }


def _listed(lists: Mapping[str, Any], row: int, catalogue: Catalogue) -> list[dict[str, Any]]:
    movies = lists["movie_id"][row]
    ratings = lists["rating"][row] if "rating" in lists else [nan] * len(movies)
    return [
        _movie(movie, catalogue) | {"rating": _number(rating)}
        for movie, rating in zip(movies, ratings, strict=True)
        if movie
    ]


def _movie(movie: bytes, catalogue: Catalogue) -> dict[str, Any]:
    return dict(catalogue.get(movie) or {"title": f"movie {text(movie)}", "genres": ""})
