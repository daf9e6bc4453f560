"""Reads the small tables beside the ratings: movies, with what they are joined to, and users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read import problems
from components.example_gen.read.cells import CellCounts
from components.example_gen.read.features import (
    Features,
    movie_features,
    user_features,
)
from components.example_gen.read.null_ids import NullIds
from components.example_gen.read.problems import Problems
from components.example_gen.read.table_reader import TableReader
from schemas.errors import UserError
from schemas.features import GENRES, POSTER, YEAR
from schemas.source import Source
from schemas.source_parts import Category, Date, Number, Several
from schemas.source_tables import Credits, FeatureTable, Links, Movies

_UNKNOWN: dict[pa.DataType, str | int | list[str] | None] = {
    pa.string(): "", pa.int64(): 0, pa.list_(pa.string()): [], pa.float32(): None,
}  # fmt: skip


@dataclass
class MovieTable:
    """Movies (of `movie_schema`), sorted and unique by movie_id, and what was dropped.

    An unknown year is 0, an unknown number NaN, any other unknown value ''; `cells` says what made
    them so. `lost` are ids that ratings may use of movies that the files have, and that are not
    here for a row that was dropped: a string array.
    """

    table: pa.Table
    problems: Problems
    cells: list[CellCounts]
    lost: pa.StringArray = field(default_factory=lambda: pa.array([], pa.string()))


@dataclass
class UserTable:
    """Users, sorted and unique by user_id, and what was dropped.

    Columns: user_id, and the user features of the source: string ('' unknown), or float32 of
    numbers (NaN unknown).
    """

    table: pa.Table
    problems: Problems
    cells: list[CellCounts]


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
    nulls = NullIds(source)
    read = {
        name: TableReader(table, paths[name], most_bad, nulls)
        for name, table in source.tables().items()
        if isinstance(table, Movies | Credits | Links)
    }
    movies, cells = _read_titles(source.movies, read["movies"], nulls)
    counted = [cells]
    if source.credits is not None:
        counted.append(_add_credits(movies, source.credits, read["credits"], nulls))
    lost = read["movies"].lost
    if source.links is not None:
        movies, unmet = _linked(movies, read["links"], lost)
        lost = read["links"].lost | unmet
    schema = movie_schema(source)
    unknown = {field.name: _UNKNOWN[field.type] for field in schema}
    rows = [{**unknown, **movies[own], "movie_id": own} for own in sorted(movies)]
    return MovieTable(
        _to_table(rows, schema),
        Problems().merge(*(table.problems for table in read.values())),
        counted,
        pa.array(sorted(lost - movies.keys()), pa.string()),
    )


def _read_titles(
    table: Movies, read: TableReader, nulls: NullIds
) -> tuple[dict[str, Features], CellCounts]:
    cells = _counts("movies", table, nulls)
    rows = read.features(cells, lambda record, faults: movie_features(table, record, faults))
    movies = {record.cells["movie_id"]: features for record, features in rows}
    _check_some(cells, read.problems)
    return movies, cells


def _add_credits(
    movies: Mapping[str, Features], table: Credits, read: TableReader, nulls: NullIds
) -> CellCounts:
    cells = _counts("credits", table, nulls)
    rows = read.features(cells, lambda record, faults: movie_features(table, record, faults))
    for record, features in rows:
        movie = record.cells["movie_id"]
        if movie in movies:
            movies[movie].update(features)
        else:
            read.problems.add(problems.CREDITS_OF_NO_MOVIE, record.path, record.line, movie)
    return cells


def _linked(
    movies: Mapping[str, Features], read: TableReader, lost: set[str]
) -> tuple[dict[str, Features], set[str]]:
    """The movies under the ids that the ratings use; those without one are counted.

    Returns them, and the ratings' ids of movies whose own rows are `lost`.
    """
    linked, met, unmet = {}, set(), set()
    nowhere = Problems()  # no fault of the links: the movies table may well hold fewer
    for record in read.records():
        ours, theirs = record.cells["movie_id"], record.cells["linked_id"]
        if theirs in movies:
            linked[ours] = movies[theirs]
            met.add(theirs)
            continue
        if theirs in lost:
            unmet.add(ours)
        reason = problems.UNRESOLVED_LINK if theirs else problems.MISSING_FIELD
        nowhere.add(reason, record.path, record.line, read.text(record))
    if not linked:
        raise UserError(
            f"No row of {' or '.join(read.paths)} leads to a movie of the movies table: "
            "links.columns.linked_id has to name the ids that the movies table has."
        )
    if alone := len(movies) - len(met):
        nowhere.counts[problems.UNLINKED_MOVIE] = alone
    read.problems = read.problems.merge(nowhere)
    return linked, unmet


def read_users(
    source: Source, paths: Mapping[str, Sequence[str]], most_bad: float = 1.0
) -> UserTable | None:
    """The source's users; None if it has no users table. See `read_movies`.

    Raises:
      UserError: as `read_movies`.
    """
    if source.users is None:
        return None
    table, nulls = source.users, NullIds(source)
    names = [*table.features]
    cells = CellCounts("users", names, nulls, single=names)
    read = TableReader(table, paths["users"], most_bad, nulls)
    rows = read.features(cells, lambda record, faults: user_features(table, record, faults))
    users = {record.cells["user_id"]: features for record, features in rows}
    _check_some(cells, read.problems)
    sorted_rows = [{"user_id": user_id, **users[user_id]} for user_id in sorted(users)]
    return UserTable(_to_table(sorted_rows, user_schema(source)), read.problems.merge(), [cells])


def _check_some(cells: CellCounts, dropped: Problems) -> None:
    if not cells.rows:
        raise UserError(
            f"Not one row of the {cells.table} can be used, the first for "
            f"{dropped.samples[0].described()}."
        )


def _counts(name: str, table: FeatureTable, nulls: NullIds) -> CellCounts:
    parts = table.declared()
    separators = {
        own: part.separator
        for own, part in parts.items()
        if isinstance(part, Several) and part.separator
    }
    single = [own for own, part in parts.items() if isinstance(part, Category | Number | Date)]
    return CellCounts(name, list(parts), nulls, separators, single)


def movie_schema(source: Source) -> pa.Schema:
    """The columns of the movies: id, title, year and genres, and what else the source declares."""
    names = ["movie_id", "movie_title", YEAR, GENRES, *([POSTER] if source.has_posters else [])]
    kinds: dict[str, pa.DataType] = {name: pa.string() for name in names}
    kinds |= dict.fromkeys(source.features.movies, pa.string())
    kinds |= dict.fromkeys([GENRES, *source.features.several], pa.list_(pa.string()))
    kinds |= dict.fromkeys(source.features.movie_numbers, pa.float32())
    return pa.schema(kinds | {YEAR: pa.int64()})


def user_schema(source: Source) -> pa.Schema:
    """The columns of the users: the id, and what the source declares."""
    names = source.features
    kinds = dict.fromkeys(("user_id", *names.users), pa.string())
    return pa.schema(kinds | dict.fromkeys(names.user_numbers, pa.float32()))


def _to_table(rows: Sequence[Features], schema: pa.Schema) -> pa.Table:
    """The rows as a table without nulls: numbers that are not known are NaN."""
    table = pa.Table.from_pylist(rows, schema)
    columns = [
        pc.fill_null(column, np.nan) if pa.types.is_floating(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, schema=schema)
