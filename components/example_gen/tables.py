"""Reads the small tables beside the ratings: movies, with what they are joined to, and users."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from components.example_gen import problems
from components.example_gen.features import movie_features, movie_title, people, user_features
from components.example_gen.layout import EmptyFile
from components.example_gen.problems import Problems, check_share
from components.example_gen.records import Record, read_records
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

    An unknown year is 0, an unknown director or star ''. `lost` are ids that ratings may use of
    movies that the files have, and that are not here for a row that was dropped: a string array.
    """

    table: pa.Table
    problems: Problems
    lost: pa.StringArray = field(default_factory=lambda: pa.array([], pa.string()))


@dataclass
class UserTable:
    """Users, sorted and unique by user_id, and what was dropped.

    Columns, all string ('' unknown): user_id, and those of gender, age (a bucket such as
    '25-34') and occupation that the source has.
    """

    table: pa.Table
    problems: Problems


def read_movies(
    source: Source, paths: Mapping[str, Sequence[str]], most_bad: float = 1.0
) -> MovieTable | None:
    """The source's movies under the ids that its ratings use; None if it has no movies table.

    Args:
        source: what the files hold.
        paths: the files of each table, the newest last: what they say of an id counts.
        most_bad: the share of a table's rows that may be dropped.

    Raises:
        UserError: a file is missing, no text, or not in the described format, all files of a table
            are empty, or too many of its rows are bad.
    """
    if source.movies is None:
        return None
    read = {
        name: _Table(table, paths[name], most_bad)
        for name, table in source.tables().items()
        if isinstance(table, Movies | Credits | Links)
    }
    movies = {
        record.cells["movie_id"]: movie_features(source.movies, record.cells)
        for record in read["movies"].records()
    }
    if source.credits is not None:
        for record in read["credits"].records():
            movie = movies.get(record.cells["movie_id"], {})
            movie.update(people(source.credits, record.cells))
    lost = read["movies"].lost
    if source.links is not None:
        links = {r.cells["movie_id"]: r.cells["linked_id"] for r in read["links"].records()}
        lost = read["links"].lost | {ours for ours, theirs in links.items() if theirs in lost}
        movies = {ours: movies[theirs] for ours, theirs in links.items() if theirs in movies}
    rows = [{"movie_id": movie_id, **movies[movie_id]} for movie_id in sorted(movies)]
    return MovieTable(
        pa.Table.from_pylist(rows, MOVIE_SCHEMA),
        Problems().merge(*(table.found for table in read.values())),
        pa.array(sorted(lost - movies.keys()), pa.string()),
    )


def read_users(
    source: Source, paths: Mapping[str, Sequence[str]], most_bad: float = 1.0
) -> UserTable | None:
    """The source's users; None if it has no users table. See `read_movies`.

    Raises:
        UserError: as `read_movies`.
    """
    if source.users is None:
        return None
    read = _Table(source.users, paths["users"], most_bad)
    users = {
        record.cells["user_id"]: user_features(source.users, record.cells)
        for record in read.records()
    }
    names = source.user_features
    rows = [{"user_id": user_id, **users[user_id]} for user_id in sorted(users)]
    schema = pa.schema({name: pa.string() for name in ("user_id", *names)})
    return UserTable(pa.Table.from_pylist(rows, schema), read.found.merge())


class _Table:
    """Reads one table: `found` says what was dropped, `lost` the ids of the rows it was.

    The records are those that have an id of their own, and a title if they are movies. Of an id's
    records the newest file's counts, and within a file the first: only a second one there is a
    problem.
    """

    def __init__(self, table: SmallTable, paths: Sequence[str], most_bad: float) -> None:
        self.found = Problems()
        self.lost: set[str] = set()
        self._table, self._paths, self._most_bad = table, paths, most_bad
        self._key = "user_id" if isinstance(table, Users) else "movie_id"

    def records(self) -> Iterator[Record]:
        """The records that count, file by file."""
        elsewhere: set[str] = set()
        empty, good = None, 0
        for path in reversed(self._paths):
            here: set[str] = set()
            try:
                for record in self._good(path, here):
                    good += 1
                    if record.cells[self._key] not in elsewhere:
                        yield record
            except EmptyFile as error:
                empty = empty or error
                self.found.empty += 1
            elsewhere |= here
        if empty and self.found.empty == len(self._paths):
            raise empty
        check_share(self.found, good, self._most_bad)

    def _good(self, path: str, seen: set[str]) -> Iterator[Record]:
        for record in read_records(self._table, [path], self.found, self.lost):
            name = record.cells[self._key]
            reason = self._fault(record, seen)
            if not reason:
                seen.add(name)
                yield record
                continue
            text = self._table.separator.join(record.cells.values())
            self.found.add(reason, record.path, record.line, text)
            if reason != problems.DUPLICATE_ID:
                self.lost.add(name)

    def _fault(self, record: Record, seen: set[str]) -> str:
        name, table = record.cells[self._key], self._table
        if not name or (isinstance(table, Movies) and not movie_title(record.cells)):
            return problems.MISSING_FIELD
        if isinstance(table, Movies) and table.id_pattern and not re.search(table.id_pattern, name):
            return problems.MALFORMED_ID
        return problems.DUPLICATE_ID if name in seen else ""
