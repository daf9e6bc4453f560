"""Turns typed columns of Parquet into the text that a CSV file would hold.

So one reader judges the cells of every format. Nothing of a number or a time is lost: whole numbers
have no point, a time that has a type is in microseconds since 1970, a list is marked as one.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read.blocks import NO_TEXT_HANDLER
from components.example_gen.read.values import trim
from schemas.errors import UserError

LIST = "\ue001"  # begins a list, and stands before each of its items; of private use
_MOST_WHOLE = float(1 << 53)  # beyond, not every whole number is a float


def as_text(column: pa.Array, encoding: str = "utf-8") -> pa.StringArray:
    """Each value as text, '' where it is null or not a number. Shape [n] -> string [n].

    Args:
      column: of any type but a duration.
      encoding: of the text in binary columns.
    """
    kind = column.type
    if isinstance(column, pa.DictionaryArray):
        texts = as_text(column.dictionary, encoding)
        return pc.fill_null(texts.take(column.indices), "")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = _decoded(column, "utf-8")
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or _is_fixed(kind):
        text = _decoded(column, encoding)
    else:
        text = pc.fill_null(_text_of_values(column), "")
    return trim(_one_line(text), quoting=False)


def as_moments(column: pa.Array) -> pa.StringArray:
    """Times (timestamps of any unit and zone, or dates) as microseconds since 1970."""
    zone = getattr(column.type, "tz", None)
    stamps = column.cast(pa.timestamp("us", zone), safe=False)
    return pc.fill_null(stamps.cast(pa.int64()).cast(pa.string()), "")


def is_time(kind: pa.DataType) -> bool:
    """Whether values of this type say by themselves which moment they are."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def has_no_text(kind: pa.DataType) -> bool:
    """Whether no cell of text could hold values of this type."""
    return bool(pa.types.is_duration(kind) or pa.types.is_time(kind) or pa.types.is_interval(kind))


def check_type(name: str, kind: pa.DataType, path: str) -> None:
    """Raises UserError where a column that is read has a type that no cell has."""
    if has_no_text(kind):
        raise UserError(
            f"{path}: the column {name} is of type {kind}: store it as a number or text."
        )


def text_of(value: Any) -> str:
    """A value of Python as `as_text` has it; a list of texts is marked as a list."""
    if value is None or value != value:  # not a number
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return "".join(LIST + text_of(item) for item in value)
    if isinstance(value, list | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _number(value: float | Decimal) -> str:
    exact = isinstance(value, Decimal) or abs(value) <= _MOST_WHOLE
    return str(int(value)) if exact and value == value // 1 else str(value)


def _text_of_values(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.string())
    if pa.types.is_integer(kind) or pa.types.is_null(kind) or pa.types.is_date(kind):
        return column.cast(pa.string())
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.string())
    if pa.types.is_floating(kind):
        return _text_of_floats(column)
    return _each(column, text_of)


def _text_of_floats(column: pa.Array) -> pa.Array:
    """Whole numbers without a point: what was an integer before a gap made its column floats."""
    whole = pc.equal(pc.floor(column), column)
    whole = pc.and_(whole, pc.less(pc.abs(column), _MOST_WHOLE))
    integers = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
    other = pc.if_else(pc.is_nan(column), None, column).cast(pa.string())
    return pc.coalesce(integers, other)


def _each(column: pa.Array, of: Callable[[Any], str]) -> pa.StringArray:
    return pa.array([None if v is None else of(v) for v in column.to_pylist()], pa.string())


def _decoded(column: pa.Array, encoding: str) -> pa.StringArray:
    """Text that is checked to be UTF-8, which Parquet promises and not every writer keeps."""
    data = column.cast(pa.binary())
    try:
        text = data.cast(pa.string()) if encoding == "utf-8" else None
    except pa.ArrowInvalid:
        text = None
    if text is None:
        text = _each(data, lambda value: value.decode(encoding, errors=NO_TEXT_HANDLER))
    return pc.fill_null(text, "")


def _one_line(text: pa.StringArray) -> pa.StringArray:
    """The text with spaces for line ends, as a title or an id has to be."""
    data = text.buffers()[2]
    content = data.to_pybytes() if data else b""
    if b"\n" not in content and b"\r" not in content:
        return text
    return pc.replace_substring_regex(text, r"[\r\n]+", " ")


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_binary(kind) and not pa.types.is_decimal(kind))
