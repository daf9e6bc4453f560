"""The pieces that the tables of a source are described with, and what each may say."""

import codecs
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from schemas.features import feature_name
from schemas.time_formats import ISO, time_format


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _word(value: str) -> str:
    r"""A word as a cell holds it: without spaces around, and `"\N"` is not YAML's next line."""
    return value.replace("\x85", r"\N").strip()


def _position(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text_keys(value: Any) -> Any:
    """Cells are text, so are the keys that stand for them."""
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


def _unescaped(value: str) -> str:
    r"""The signs that escapes such as `\t`, `\x01`, `\001` and `\|` stand for, however quoted."""
    signs = re.sub(_ESCAPE, _sign, "\t" if value.lower() == "tab" else value)
    if re.search(r"\\\w", signs):
        raise ValueError(rf"{value} is no separator: write its signs themselves, or \t for a tab")
    return signs


def _sign(escape: re.Match[str]) -> str:
    body = escape[1]
    if body[0] in "xu":
        return chr(int(body[1:], 16))
    return "\t" if body == "t" else chr(int(body, 8)) if body.isdigit() else body


def _separator(value: str) -> str:
    if set(value) & set('\r\n"\0'):
        raise ValueError("a separator cannot hold a quote or a line end")
    return value


def _escape(value: str) -> str:
    if len(value.encode()) != 1 or value.isalnum() or value in '"\r\n ':
        raise ValueError("an escape is one character such as '\\', and no quote, letter or digit")
    return value


# A backslash that was quoted twice is one.
_ESCAPE = re.compile(r"\\+(t|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{1,3}|[^\w\\])")

Word = Annotated[str, AfterValidator(_word)]
Listed = Annotated[tuple[Word, ...], BeforeValidator(_listed)]
Column = Annotated[Word, BeforeValidator(_position), Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Words = Annotated[dict[Word, Word], BeforeValidator(_text_keys)]
Numbers = Annotated[dict[Word, Finite], BeforeValidator(_text_keys), Field(min_length=1)]
Globs = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Signs = Annotated[str, Field(min_length=1), AfterValidator(_unescaped)]
Separator = Annotated[Signs, AfterValidator(_separator)]
Escape = Annotated[str, AfterValidator(_escape)]
Format = Literal["csv", "jsonl", "parquet"]
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


class Category(Part):
    """A feature with one value: a column, or the first group that `pattern` finds in it.

    `values` maps codes to names; `in_years` says that the values are ages in years, which are put
    into groups. `label` is what people call the feature; default: its name with spaces.
    """

    kind: Literal["category"] = "category"
    column: Column
    pattern: Pattern | None = None
    values: Words = Field(default_factory=dict)
    in_years: bool = False
    label: Word | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_column(cls, written: Any) -> Any:
        return {"column": written} if isinstance(written, str | int) else written


class Number(Part):
    """A feature that is a number: a column, or the first group that `pattern` finds in it.

    The model learns of numbers by buckets of about equally many. See `Category` on `label`.
    """

    kind: Literal["number"]
    column: Column
    pattern: Pattern | None = None
    label: Word | None = None


class Date(Part):
    """A day, as `format` writes it: see `time_formats`.

    It makes a number, the year and its fraction, and the categories month and weekday; and of each
    rating whose time is known a number, how many years after that day it was given.
    """

    kind: Literal["date"]
    column: Column
    format: TimeFormat = ISO
    label: Word | None = None


class Text(Part):
    """A text of words, such as a plot, which is in the catalogue alone."""

    kind: Literal["text"]
    column: Column
    label: Word | None = None


class Several(Part):
    """A column split at `separator` or searched with `pattern`, or one 0/1 column per value."""

    column: Column | None = None
    separator: Signs | None = None
    pattern: Pattern | None = None
    flags: dict[str, Column] = {}

    @model_validator(mode="after")
    def _one_way(self) -> "Several":
        ways = [bool(self.separator), bool(self.pattern), bool(self.flags)]
        if sum(ways) != 1 or bool(self.flags) == (self.column is not None):
            raise ValueError("give column and separator, or column and pattern, or flags")
        return self


class Categories(Several):
    """A feature of which a movie may have several values; see `Category` on `label`."""

    kind: Literal["categories"]
    label: Word | None = None


def _kind(written: Any) -> Any:
    """The kind that is written, or else that of a feature with one value."""
    if isinstance(written, dict):
        return written.get("kind", "category")
    return getattr(written, "kind", "category")


def _by_kind(*kinds: str) -> Any:
    """Which of its kinds a feature is."""
    told = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    return Discriminator(
        _kind, custom_error_type="kind", custom_error_message=f"its kind is {told}"
    )


class EventCategory(Category):
    """A category of a rating itself, such as the device that it was given on.

    `known_when_asked` says that who asks for recommendations can tell it of the moment of asking:
    only then does the model read it.
    """

    known_when_asked: bool = False


class EventNumber(Number):
    """A number of a rating itself; see `EventCategory`."""

    known_when_asked: bool = False


# What each kind of feature is described by.
KINDS: dict[str, type[Part]] = {
    "category": Category,
    "categories": Categories,
    "number": Number,
    "date": Date,
    "text": Text,
}
FeatureName = Annotated[Word, AfterValidator(feature_name)]
UserFeature = Annotated[
    Annotated[Category, Tag("category")]
    | Annotated[Number, Tag("number")]
    | Annotated[Date, Tag("date")],
    _by_kind("category", "number", "date"),
]
EventFeature = Annotated[
    Annotated[EventCategory, Tag("category")] | Annotated[EventNumber, Tag("number")],
    _by_kind("category", "number"),
]
MovieFeature = Annotated[
    Annotated[Category, Tag("category")]
    | Annotated[Categories, Tag("categories")]
    | Annotated[Number, Tag("number")]
    | Annotated[Date, Tag("date")]
    | Annotated[Text, Tag("text")],
    _by_kind("category", "categories", "number", "date", "text"),
]
Declared = Category | Categories | Number | Date | Text | Cell | Several


def labels_of(name: str, part: Declared) -> dict[str, str]:
    """The features that a part makes, the one of its own name first, and what people call them."""
    label = getattr(part, "label", None) or name.replace("_", " ")
    made = ("month", "weekday") if isinstance(part, Date) else ()
    return {name: label} | {f"{name}_{own}": f"{label}: {own}" for own in made}
