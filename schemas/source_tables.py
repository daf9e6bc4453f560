"""The tables of a source: their files, their format, and where each of our columns is."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from schemas.features import GENRES, YEAR
from schemas.source_parts import (
    Category,
    Cell,
    Column,
    ColumnSet,
    Date,
    Declared,
    Encoding,
    Escape,
    EventFeature,
    FeatureName,
    Format,
    Globs,
    Listed,
    MovieFeature,
    Number,
    Numbers,
    Part,
    Pattern,
    Separator,
    Several,
    Text,
    TimeFormat,
    UserFeature,
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


def _columns(parts: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Column]]:
    for key, value in parts:
        if isinstance(value, ColumnSet):
            yield from ((name, column) for name, column in value if column is not None)
        elif key == "features" and isinstance(value, dict):
            yield from _columns(value.items())
        elif isinstance(value, Cell | Category | Number | Date | Text | Several):
            if value.column is not None:
                yield key, value.column
            if isinstance(value, Several):
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
    hold line ends; default: where there are cells beside ours, such as a review. `features` are the
    rating's own, such as the device.
    """

    columns: RatingColumns
    timestamp: TimeFormat = "seconds"
    blocks: bool = False
    values: dict[Literal["rating"], Numbers] = Field(default_factory=dict)
    unrated: Listed = ()
    multiline: bool | None = None
    features: dict[FeatureName, EventFeature] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_movie(self) -> "Ratings":
        if self.blocks and (self.header or self.columns.movie_id is not None):
            raise ValueError("with blocks there is neither a header nor a movie_id column")
        if not self.blocks and self.columns.movie_id is None:
            raise ValueError("columns.movie_id is missing")
        if self.blocks and self.features:
            raise ValueError("with blocks a rating has no features")
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
    """Where a movie's id and title are; the second title stands in for an empty first one.

    `poster` holds the address of a picture, or the name of its file, which a server may show.
    """

    movie_id: Column
    movie_title: Column
    fallback_title: Column | None = None
    poster: Column | None = None


class FeatureTable(SmallTable):
    """A table that has features of movies; some can be named outside of `features` as well."""

    features: dict[FeatureName, MovieFeature] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _all_in_features(cls, table: Any) -> Any:
        own = table if isinstance(table, dict) else {}
        return _moved(table, {name: own[name] for name in _PEOPLE if own.get(name)})

    def declared(self) -> Mapping[str, Declared]:
        """What each feature is made of, by name."""
        return self.features


class Movies(FeatureTable):
    """One movie a row; a row whose id does not match `id_pattern` is dropped and counted."""

    columns: MovieColumns
    id_pattern: Pattern | None = None
    year: Cell | None = None
    genres: Several | None = None

    def declared(self) -> Mapping[str, Declared]:
        """What each feature is made of, by name: year and genres first."""
        roles = {YEAR: self.year, GENRES: self.genres}
        return {**{name: part for name, part in roles.items() if part}, **self.features}


class CreditColumns(ColumnSet):
    """The id that the movies table has too."""

    movie_id: Column


class Credits(FeatureTable):
    """Features of movies where a file of their own has them."""

    columns: CreditColumns


class LinkColumns(ColumnSet):
    """`movie_id` as the ratings have it, `linked_id` as the movies table has it."""

    movie_id: Column
    linked_id: Column


class Links(SmallTable):
    """How the ratings' movie ids meet the movies table's."""

    columns: LinkColumns


class UserColumns(ColumnSet):
    """Where a user's id is."""

    user_id: Column


class Users(SmallTable):
    """One user a row, with features of one value each.

    They can be named among the columns as well, with `values` and `age_in_years` beside them.
    """

    columns: UserColumns
    features: dict[FeatureName, UserFeature] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _all_in_features(cls, users: Any) -> Any:
        columns = users.get("columns") if isinstance(users, dict) else None
        if not isinstance(columns, dict):
            return users
        short = {name: {"column": at} for name, at in columns.items() if name != "user_id" and at}
        values = users.get("values") or {}
        if not isinstance(values, dict):
            raise ValueError("values: write keys with values, such as {gender: {F: female}}")
        for name, words in values.items():
            if name not in short:
                raise ValueError(f"values.{name} is not one of the columns")
            short[name]["values"] = words
        if "age" in short:
            short["age"] |= {"label": "age group", "in_years": users.get("age_in_years") or False}
        own = {name: at for name, at in columns.items() if name == "user_id"}
        kept = {key: part for key, part in users.items() if key not in ("values", "age_in_years")}
        return _moved({**kept, "columns": own}, short)


_PEOPLE = ("director", "star")


def _moved(table: Any, features: Mapping[str, Any]) -> Any:
    """The table with these features among its `features`, of which they are the first."""
    own = (table.get("features") or {}) if features else None
    if not isinstance(own, dict):
        return table
    if both := sorted(features.keys() & own.keys()):
        raise ValueError(f"features.{both[0]} is there twice: leave one of them")
    kept = {key: part for key, part in table.items() if key not in features}
    return {**kept, "features": {**features, **own}}
