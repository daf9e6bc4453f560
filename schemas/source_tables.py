"""The tables of a source: their files, their format, and where each of our columns is."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from schemas.source_parts import (
    Cell,
    Column,
    ColumnSet,
    Encoding,
    Escape,
    Format,
    Genres,
    Globs,
    Listed,
    Numbers,
    Part,
    Pattern,
    Separator,
    TimeFormat,
    Words,
)


class Table(Part):
    """The files of a table and their format.

    `files` are globs, the first that matches anything wins; columns are named as in the header,
    or by their position counted from 1 where there is no header; `nulls` are words that stand
    for an empty cell. `format` says what a file is where its name does not; `escape` is what
    stands before a quote that is part of a cell, where that is no second quote.
    """

    files: Globs
    separator: Separator = ","
    encoding: Encoding = "utf-8"
    header: bool = True
    quoting: bool = True
    nulls: Listed = ()
    format: Format | None = None
    escape: Escape | None = None

    def patterns(self) -> list[str]:
        """Every glob, then every glob with `.gz`: the first that matches anything wins."""
        plain = [glob.removesuffix(".gz") for glob in self.files if not glob.endswith(".zip")]
        return list(dict.fromkeys(self.files + [f"{glob}.gz" for glob in plain]))

    def used_columns(self) -> dict[str, Column]:
        """Where each cell that is read stands, by a name of its own."""
        return dict(_columns(self))

    @model_validator(mode="after")
    def _readable(self) -> "Table":
        if self.quoting and len(self.separator.encode()) > 1:
            raise ValueError(
                f"cells cannot be quoted where {self.separator!r} separates them: "
                "set quoting: false"
            )
        if self.escape and (not self.quoting or self.escape == self.separator):
            raise ValueError("an escape is for cells in quotes, and is not their separator")
        for name, column in self.used_columns().items():
            if not self.header and not re.fullmatch(r"[1-9]\d{0,5}", column):
                raise ValueError(f"{name}: without a header, give the position, counted from 1")
        return self


def _columns(part: Part) -> Iterator[tuple[str, Column]]:
    for key, value in part:
        if isinstance(value, ColumnSet):
            yield from ((name, column) for name, column in value if column is not None)
        elif isinstance(value, Cell | Genres):
            if value.column is not None:
                yield key, value.column
            if isinstance(value, Genres):
                yield from ((f"{key}.{name}", column) for name, column in value.flags.items())


class RatingColumns(ColumnSet):
    """Where a rating's cells are; `movie_id` is absent only in block files.

    Without `rating` the rows say what was seen, bought or played, and not how it was liked.
    """

    user_id: Column
    movie_id: Column | None = None
    rating: Column | None = None
    timestamp: Column | None = None


class Ratings(Table):
    """Rows of user, movie and rating, one a line.

    `blocks` says that a line `123:` names the movie of the lines below it (Netflix Prize);
    `values.rating` maps words such as `up` to numbers; `unrated` are what the rating's cell holds,
    '' among others, where a movie was seen but not rated. `multiline` says whether quoted cells may
    hold line ends; default: where there are cells beside ours, such as a review.
    """

    columns: RatingColumns
    timestamp: TimeFormat = "seconds"
    blocks: bool = False
    values: dict[Literal["rating"], Numbers] = Field(default_factory=dict)
    unrated: Listed = ()
    multiline: bool | None = None

    @model_validator(mode="after")
    def _one_movie(self) -> "Ratings":
        if self.blocks and (self.header or self.columns.movie_id is not None):
            raise ValueError("with blocks there is neither a header nor a movie_id column")
        if not self.blocks and self.columns.movie_id is None:
            raise ValueError("columns.movie_id is missing")
        return self

    @model_validator(mode="after")
    def _of_a_rating(self) -> "Ratings":
        if self.columns.rating is None and (self.values or self.unrated):
            raise ValueError("values and unrated are about the rating: name it as columns.rating")
        if both := set(self.values.get("rating", {})).intersection(self.unrated):
            raise ValueError(f"{min(both)!r} is a rating in values and not one in unrated")
        return self


def checked_scale(
    scale: tuple[float, float] | None, ratings: Ratings
) -> tuple[float, float] | None:
    """The lowest and the highest rating, from the words for ratings where they say it all.

    Raises:
      ValueError: it is missing, upside down, of no use, or a word's number is not on it.
    """
    numbers = ratings.values.get("rating", {}).values()
    if ratings.columns.rating is None:
        if scale is not None:
            raise ValueError("there is a scale but no ratings: take it out, or add columns.rating")
        return None
    if scale is None and not numbers:
        raise ValueError(
            "it is missing: give the lowest and the highest rating, such as [1, 5], or leave "
            "columns.rating out where rows say what was seen and not how it was liked"
        )
    low, high = scale or (min(numbers), max(numbers))
    if not low < high:
        raise ValueError("give [lowest, highest], the lowest first and the highest above it")
    if numbers and not low <= min(numbers) <= max(numbers) <= high:
        raise ValueError(f"values.rating holds numbers that are not on [{low:g}, {high:g}]")
    return low, high


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
    values: dict[str, Words] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _mapped_columns_exist(self) -> "Users":
        for name in self.values:
            if name == "user_id" or getattr(self.columns, name, None) is None:
                raise ValueError(f"values.{name} is not one of the columns")
        return self
