"""Turns columns of text into numbers, null where the text is none."""

from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

# A number as Arrow's parser takes it, without its words for infinity and not a number.
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_SPACES = " \t\u00a0"


def trim(cells: pa.Array, quoting: bool) -> pa.StringArray:
    """The cells (string) without the spaces around them, and without quotes after a space."""
    # Most columns hold no space at all: seeing that in their bytes is far cheaper than trimming.
    data = cells.buffers()[2]
    text = data.to_pybytes() if data else b""
    if text.isascii() and b" " not in text and b"\t" not in text:
        return cast(pa.StringArray, cells)
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


def _where(mask: pa.BooleanArray, values: pa.Array) -> pa.Array:
    return pc.if_else(mask, values, pa.scalar(None, values.type))
