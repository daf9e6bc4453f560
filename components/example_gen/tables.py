"""Reads the small tables beside the ratings: movies, with what they are joined to, and users."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from components.example_gen import problems
from components.example_gen.features import movie_features, movie_title, people, user_features
from components.example_gen.problems import Problems
from components.example_gen.records import Record, read_records
from schemas.source import Source
from schemas.source_tables import Movies, SmallTable, Users

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

    An unknown year is 0, an unknown director or star ''.
    """

    table: pa.Table
    problems: Problems


@dataclass
class UserTable:
    """Users, sorted and unique by user_id, and what was dropped.

    Columns, all string ('' unknown): user_id, and those of gender, age (a bucket such as
    '25-34') and occupation that the source has.
    """

    table: pa.Table
    problems: Problems


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
    found = Problems()
    movies = {}
    for record in _unique(source.movies, paths["movies"], found):
        movies[record.cells["movie_id"]] = movie_features(source.movies, record.cells)
    if source.credits is not None:
        for record in _unique(source.credits, paths["credits"], found):
            movie = movies.get(record.cells["movie_id"], {})
            movie.update(people(source.credits, record.cells))
    if source.links is not None:
        links = {
            record.cells["movie_id"]: record.cells["linked_id"]
            for record in _unique(source.links, paths["links"], found)
        }
        movies = {ours: movies[theirs] for ours, theirs in links.items() if theirs in movies}
    rows = [{"movie_id": movie_id, **movies[movie_id]} for movie_id in sorted(movies)]
    return MovieTable(pa.Table.from_pylist(rows, MOVIE_SCHEMA), found.merge())


def read_users(source: Source, paths: Mapping[str, Sequence[str]]) -> UserTable | None:
    """The source's users; None if it has no users table. See `read_movies`.

    Raises:
        UserError: a file is missing, empty, no text, or not in the described format.
    """
    if source.users is None:
        return None
    found = Problems()
    users = {
        record.cells["user_id"]: user_features(source.users, record.cells)
        for record in _unique(source.users, paths["users"], found)
    }
    names = source.user_features
    rows = [{"user_id": user_id, **users[user_id]} for user_id in sorted(users)]
    schema = pa.schema({name: pa.string() for name in ("user_id", *names)})
    return UserTable(pa.Table.from_pylist(rows, schema), found.merge())


def _unique(table: SmallTable, paths: Sequence[str], found: Problems) -> Iterator[Record]:
    """The records that have an id of their own, and a title if they are movies.

    Of an id's records the newest file's counts, and within a file the first: only a second one
    there is a problem.
    """
    elsewhere: set[str] = set()
    for path in reversed(paths):
        here: set[str] = set()
        yield from (
            record
            for record in _unique_in(table, path, found, here)
            if record.cells[_key(table)] not in elsewhere
        )
        elsewhere |= here


def _key(table: SmallTable) -> str:
    return "user_id" if isinstance(table, Users) else "movie_id"


def _unique_in(table: SmallTable, path: str, found: Problems, seen: set[str]) -> Iterator[Record]:
    pattern = table.id_pattern if isinstance(table, Movies) else None
    for record in read_records(table, [path], found):
        text = table.separator.join(record.cells.values())
        name = record.cells[_key(table)]
        if not name or (isinstance(table, Movies) and not movie_title(record.cells)):
            reason = problems.MISSING_FIELD
        elif pattern and not re.search(pattern, name):
            reason = problems.MALFORMED_ID
        elif name in seen:
            reason = problems.DUPLICATE_ID
        else:
            seen.add(name)
            yield record
            continue
        found.add(reason, record.path, record.line, text)
