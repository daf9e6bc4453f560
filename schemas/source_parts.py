"""The pieces that the tables of a source are described with, and what each may say."""

import codecs
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.time_formats import time_format


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


Column = Annotated[int, Field(ge=1, strict=True)] | Annotated[str, Field(min_length=1)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Words = Annotated[dict[str, str], BeforeValidator(_text_keys)]
Globs = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Separator = Annotated[str, Field(min_length=1), AfterValidator(_separator)]
TimeFormat = Annotated[str, AfterValidator(time_format)]


class Part(BaseModel):
    """A piece of a source description: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
