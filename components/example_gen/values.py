"""Turns columns of text into numbers and times, null where the text is neither."""

import pyarrow as pa
import pyarrow.compute as pc

# A number as Arrow's parser takes it, without its words for infinity and not a number.
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_SPACES = " \t\u00a0"
# The end of the year 9999: what is later is in milliseconds, or no time at all.
_LAST_SECOND = 253_402_300_799


def trim(cells: pa.StringArray, quoting: bool) -> pa.StringArray:
    """The cells (string) without the spaces around them, and without quotes after a space."""
    # Most columns hold no space at all: seeing that in their bytes is far cheaper than trimming.
    data = cells.buffers()[2]
    text = data.to_pybytes() if data else b""
    if text.isascii() and b" " not in text and b"\t" not in text:
        return cells
    if quoting and b'"' in text:
        cells = pc.replace_substring_regex(cells, r'^[ \t]+"(.*)"[ \t]*$', r"\1")
    return pc.utf8_trim(cells, characters=_SPACES)


def numbers(cells: pa.StringArray) -> pa.Array:
    """Finite numbers (float64); null where the cell (string) is not one, as `4,0` or `nan`."""
    try:
        parsed = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        readable = pc.match_substring_regex(cells, _NUMBER)
        parsed = _where(readable, cells).cast(pa.float64())
    finite = pc.is_finite(parsed)
    return parsed if pc.all(finite).as_py() else _where(finite, parsed)


def seconds(cells: pa.StringArray, unit: str) -> pa.Array:
    """Seconds since 1970 (int64), null where the cell is no time of the years 1970 to 9999.

    Args:
        cells: string.
        unit: `seconds`, `milliseconds`, `microseconds` or a strptime format.
    """
    if "%" in unit:
        found = pc.dictionary_encode(cells)
        return pc.take(_dates(found.dictionary, unit), found.indices)
    stamps = numbers(cells)
    if unit == "milliseconds":
        stamps = pc.divide(stamps, 1000.0)
    if unit == "microseconds":
        stamps = pc.divide(stamps, 1_000_000.0)
    possible = pc.and_(pc.greater_equal(stamps, 0.0), pc.less_equal(stamps, float(_LAST_SECOND)))
    if not pc.all(possible, skip_nulls=False).as_py():
        stamps = _where(possible, stamps)
    return pc.floor(stamps).cast(pa.int64())


def _dates(cells: pa.StringArray, layout: str) -> pa.Array:
    stamps = pc.strptime(cells, format=layout, unit="s", error_is_null=True)
    # The parser takes February 30 for March 2: a real date reads the same when written again.
    again = pc.strftime(stamps, format=layout)
    real = pc.equal(_without_zeros(cells), _without_zeros(again))
    stamps = stamps.cast(pa.int64())
    return _where(pc.and_(real, pc.greater_equal(stamps, 0)), stamps)


def _without_zeros(cells: pa.StringArray) -> pa.StringArray:
    return pc.utf8_lower(pc.replace_substring_regex(cells, r"\b0+(\d)", r"\1"))


def _where(mask: pa.BooleanArray, values: pa.Array) -> pa.Array:
    return pc.if_else(mask, values, pa.scalar(None, values.type))
