"""The tables of a source: their files, their format, and where each of our columns is."""

import codecs
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _text_keys(value: Any) -> Any:
    """YAML reads the key of `18: 18-24` as a number; cells are text."""
    return {str(key): word for key, word in value.items()} if isinstance(value, dict) else value


def _pattern(value: str) -> str:
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression ({error})") from error
    if not groups:
        raise ValueError(f"{value!r} needs a group in brackets around what to take")
    return value


def _encoding(value: str) -> str:
    try:
        plain = "\n,1a".encode(value) == b"\n,1a" and codecs.lookup(value)
    except LookupError as error:
        raise ValueError(f"there is no encoding named {value!r}") from error
    if not plain:
        raise ValueError(f"{value} cannot be read in pieces: convert the file to utf-8 first")
    return value


def _separator(value: str) -> str:
    if set(value) & set('\r\n"'):
        raise ValueError("a separator cannot hold a quote or a line end")
    return value


def _timestamp(value: str) -> str:
    if value not in ("seconds", "milliseconds") and "%" not in value:
        raise ValueError("take seconds, milliseconds or a date format such as %Y-%m-%d")
    return value


Column = Annotated[int, Field(ge=1, strict=True)] | Annotated[str, Field(min_length=1)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Words = Annotated[dict[str, str], BeforeValidator(_text_keys)]


class Part(BaseModel):
    """A piece of a source description: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Table(Part):
    """The files of a table and their format.

    `files` are globs, the first that matches anything wins; columns are named as in the header,
    or by their position counted from 1 where there is no header; `nulls` are words that stand
    for an empty cell.
    """

    files: Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
    separator: Annotated[str, Field(min_length=1), AfterValidator(_separator)] = ","
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    header: bool = True
    quoting: bool = True
    nulls: list[str] = []

    def patterns(self) -> list[str]:
        """Every glob, then every glob with `.gz`: the first that matches anything wins."""
        plain = [glob.removesuffix(".gz") for glob in self.files]
        return list(dict.fromkeys(self.files + [f"{glob}.gz" for glob in plain]))

    def used_columns(self) -> dict[str, Column]:
        """Where each cell that is read stands, by a name of its own."""
        return dict(_columns(self, ""))

    @model_validator(mode="after")
    def _readable(self) -> "Table":
        if self.quoting and len(self.separator.encode()) > 1:
            raise ValueError(
                f"cells cannot be quoted where {self.separator!r} separates them: "
                "set quoting: false"
            )
        for name, column in self.used_columns().items():
            if self.header and isinstance(column, int):
                raise ValueError(f"{name}: with a header, give the column's name")
            if not self.header and isinstance(column, str):
                raise ValueError(f"{name}: without a header, give the position, counted from 1")
        return self


def _columns(part: Part, prefix: str) -> Iterator[tuple[str, Column]]:
    for key, value in part:
        if isinstance(value, ColumnSet):
            yield from ((name, column) for name, column in value if column is not None)
        elif isinstance(value, Cell | Genres):
            if value.column is not None:
                yield key, value.column
            if isinstance(value, Genres):
                yield from ((f"{key}.{name}", column) for name, column in value.flags.items())


class ColumnSet(Part):
    """Our names on the left, the file's columns on the right."""


class Cell(Part):
    """A column, or the first group that a regular expression finds in it."""

    column: Column
    pattern: Pattern | None = None


class Genres(Part):
    """A column split at `separator` or searched with `pattern`, or one 0/1 column per genre."""

    column: Column | None = None
    separator: str | None = None
    pattern: Pattern | None = None
    flags: dict[str, Column] = {}

    @model_validator(mode="after")
    def _one_way(self) -> "Genres":
        ways = [bool(self.separator), bool(self.pattern), bool(self.flags)]
        if sum(ways) != 1 or bool(self.flags) == (self.column is not None):
            raise ValueError("give column and separator, or column and pattern, or flags")
        return self


class RatingColumns(ColumnSet):
    """Where a rating's cells are; `movie_id` is absent only in block files."""

    user_id: Column
    movie_id: Column | None = None
    rating: Column
    timestamp: Column | None = None


class Ratings(Table):
    """Rows of user, movie and rating, one a line.

    `blocks` says that a line `123:` names the movie of the lines below it (Netflix Prize).
    """

    columns: RatingColumns
    timestamp: Annotated[str, AfterValidator(_timestamp)] = "seconds"
    blocks: bool = False

    @model_validator(mode="after")
    def _one_movie(self) -> "Ratings":
        if self.blocks and (self.header or self.columns.movie_id is not None):
            raise ValueError("with blocks there is neither a header nor a movie_id column")
        if not self.blocks and self.columns.movie_id is None:
            raise ValueError("columns.movie_id is missing")
        return self


class SmallTable(Table):
    """A table of few rows, beside the ratings.

    `rest_in_last` says that our last column is the file's, and may hold separators of its own;
    `multiline` that quoted cells may hold line ends, and that short rows count as filled up.
    """

    rest_in_last: bool = False
    multiline: bool = False


class MovieColumns(ColumnSet):
    """Where a movie's id and title are; the second title stands in for an empty first one."""

    movie_id: Column
    movie_title: Column
    fallback_title: Column | None = None


class Movies(SmallTable):
    """One movie a row; a row whose id does not match `id_pattern` is dropped and counted."""

    columns: MovieColumns
    id_pattern: Pattern | None = None
    year: Cell | None = None
    genres: Genres | None = None
    director: Cell | None = None
    star: Cell | None = None


class CreditColumns(ColumnSet):
    """The id that the movies table has too."""

    movie_id: Column


class Credits(SmallTable):
    """Director and star where a file of their own has them."""

    columns: CreditColumns
    director: Cell | None = None
    star: Cell | None = None


class LinkColumns(ColumnSet):
    """`movie_id` as the ratings have it, `linked_id` as the movies table has it."""

    movie_id: Column
    linked_id: Column


class Links(SmallTable):
    """How the ratings' movie ids meet the movies table's."""

    columns: LinkColumns


class UserColumns(ColumnSet):
    """Where a user's id and features are."""

    user_id: Column
    gender: Column | None = None
    age: Column | None = None
    occupation: Column | None = None


class Users(SmallTable):
    """One user a row; `values` maps codes to names; ages in years are put into buckets."""

    columns: UserColumns
    age_in_years: bool = False
    values: dict[str, Words] = {}

    @model_validator(mode="after")
    def _mapped_columns_exist(self) -> "Users":
        for name in self.values:
            if name == "user_id" or getattr(self.columns, name, None) is None:
                raise ValueError(f"values.{name} is not one of the columns")
        return self
