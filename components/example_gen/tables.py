"""Reads the small tables beside the ratings: movies, with what they are joined to, and users."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from components.example_gen import problems
from components.example_gen.cells import Cells
from components.example_gen.features import (
    Faults,
    Features,
    movie_features,
    movie_title,
    people,
    user_features,
)
from components.example_gen.null_ids import NullIds
from components.example_gen.problems import Problems
from components.example_gen.records import Record, read_records
from schemas.errors import UserError
from schemas.features import MOVIE_FEATURES
from schemas.source import Source
from schemas.source_tables import Credits, Links, Movies, SmallTable, Users

MOVIE_SCHEMA = pa.schema(
    {
        "movie_id": pa.string(),
        "movie_title": pa.string(),
        "year": pa.int64(),
        "genres": pa.list_(pa.string()),
        "director": pa.string(),
        "star": pa.string(),
    }
)


@dataclass
class MovieTable:
    """Movies (of `MOVIE_SCHEMA`), sorted and unique by movie_id, and what was dropped.

    An unknown year is 0, an unknown director or star ''; `cells` says what made them so.
    """

    table: pa.Table
    problems: Problems
    cells: list[Cells]


@dataclass
class UserTable:
    """Users, sorted and unique by user_id, and what was dropped.

    Columns, all string ('' unknown): user_id, and those of gender, age (a bucket such as
    '25-34') and occupation that the source has.
    """

    table: pa.Table
    problems: Problems
    cells: list[Cells]


def read_movies(source: Source, paths: Mapping[str, Sequence[str]]) -> MovieTable | None:
    """The source's movies under the ids that its ratings use; None if it has no movies table.

    Args:
        source: what the files hold.
        paths: the files of each table, the newest last: what they say of an id counts.

    Raises:
        UserError: a file is missing, empty, no text, or not in the described format.
    """
    if source.movies is None:
        return None
    found, nulls = Problems(), NullIds(source)
    genres = source.movies.genres
    cells = Cells("movies", declared(source.movies), genres.separator if genres else None)
    movies = {}
    for record in _unique(source.movies, paths["movies"], found, nulls):
        faults: Faults = {}
        features = movie_features(source.movies, record.cells, faults)
        cells.add(record, features, faults)
        movies[record.cells["movie_id"]] = features
    _check_some(cells, found)
    counted = [cells]
    if source.credits is not None:
        counted.append(_add_credits(movies, source.credits, paths["credits"], found, nulls))
    if source.links is not None:
        movies = _linked(movies, source.links, paths["links"], found, nulls)
    rows = [{"movie_id": movie_id, **movies[movie_id]} for movie_id in sorted(movies)]
    return MovieTable(pa.Table.from_pylist(rows, MOVIE_SCHEMA), found.merge(), counted)


def _add_credits(
    movies: Mapping[str, Features],
    table: Credits,
    paths: Sequence[str],
    found: Problems,
    nulls: NullIds,
) -> Cells:
    cells = Cells("credits", declared(table))
    for record in _unique(table, paths, found, nulls):
        faults: Faults = {}
        features = people(table, record.cells, faults)
        cells.add(record, features, faults)
        movie = record.cells["movie_id"]
        if movie in movies:
            movies[movie].update({name: features[name] for name in cells.declared})
        else:
            found.add(problems.CREDITS_OF_NO_MOVIE, record.path, record.line, movie)
    return cells


def _linked(
    movies: Mapping[str, Features],
    table: Links,
    paths: Sequence[str],
    found: Problems,
    nulls: NullIds,
) -> dict[str, Features]:
    """The movies under the ids that the ratings use; those without one are counted."""
    linked, met = {}, set()
    for record in _unique(table, paths, found, nulls):
        theirs = record.cells["linked_id"]
        if theirs in movies:
            linked[record.cells["movie_id"]] = movies[theirs]
            met.add(theirs)
        else:
            reason = problems.UNRESOLVED_LINK if theirs else problems.MISSING_FIELD
            text = table.separator.join(record.cells.values())
            found.add(reason, record.path, record.line, text)
    if not linked:
        raise UserError(
            f"No row of {' or '.join(paths)} leads to a movie of the movies table: "
            "links.columns.linked_id has to name the ids that the movies table has."
        )
    if alone := len(movies) - len(met):
        found.counts[problems.UNLINKED_MOVIE] = alone
    return linked


def read_users(source: Source, paths: Mapping[str, Sequence[str]]) -> UserTable | None:
    """The source's users; None if it has no users table. See `read_movies`.

    Raises:
        UserError: a file is missing, empty, no text, or not in the described format.
    """
    if source.users is None:
        return None
    found, users = Problems(), {}
    cells = Cells("users", source.user_features)
    for record in _unique(source.users, paths["users"], found, NullIds(source)):
        faults: Faults = {}
        features = user_features(source.users, record.cells, faults)
        cells.add(record, features, faults)
        users[record.cells["user_id"]] = features
    _check_some(cells, found)
    names = source.user_features
    rows = [{"user_id": user_id, **users[user_id]} for user_id in sorted(users)]
    schema = pa.schema({name: pa.string() for name in ("user_id", *names)})
    return UserTable(pa.Table.from_pylist(rows, schema), found.merge(), [cells])


def _check_some(cells: Cells, found: Problems) -> None:
    if not cells.rows:
        first = found.samples[0]
        raise UserError(
            f"Not one row of the {cells.table} can be used, the first for {first.reason} in "
            f"{first.path}:{first.line}: {first.text!r}."
        )


def declared(table: Movies | Credits) -> list[str]:
    """The features that the table gives."""
    return [name for name in MOVIE_FEATURES if getattr(table, name, None)]


def _unique(
    table: SmallTable, paths: Sequence[str], found: Problems, nulls: NullIds
) -> Iterator[Record]:
    """The records that have an id of their own, and a title if they are movies.

    Of an id's records the newest file's counts, and within a file the first: only a second one
    there is a problem.
    """
    elsewhere: set[str] = set()
    for path in reversed(paths):
        here: set[str] = set()
        yield from (
            record
            for record in _unique_in(table, path, found, here, nulls)
            if record.cells[_key(table)] not in elsewhere
        )
        elsewhere |= here


def _key(table: SmallTable) -> str:
    return "user_id" if isinstance(table, Users) else "movie_id"


def _unique_in(
    table: SmallTable, path: str, found: Problems, seen: set[str], nulls: NullIds
) -> Iterator[Record]:
    pattern = table.id_pattern if isinstance(table, Movies) else None
    for record in read_records(table, [path], found):
        text = table.separator.join(record.cells.values())
        name = record.cells[_key(table)]
        if not name or (isinstance(table, Movies) and not movie_title(record.cells)):
            reason = problems.MISSING_FIELD
        elif name in nulls:
            reason = problems.NULL_ID
        elif pattern and not re.search(pattern, name):
            reason = problems.MALFORMED_ID
        elif name in seen:
            reason = problems.DUPLICATE_ID
        else:
            seen.add(name)
            yield record
            continue
        found.add(reason, record.path, record.line, text)
