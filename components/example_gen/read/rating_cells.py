"""Reads the cells that say how a movie was liked."""

import math

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read import problems as reasons
from components.example_gen.read.values import numbers
from schemas.source_tables import Ratings


def ratings(cells: pa.StringArray, table: Ratings) -> pa.Array:
    """Ratings (float32): NaN where a movie was seen but not rated, null where unreadable.

    Args:
      cells: string.
      table: whose `values` say the numbers of words, and whose `unrated` what is no rating.
    """
    words = table.values.get("rating")
    if words:
        place = pc.index_in(cells, value_set=pa.array(list(words), pa.string()))
        parsed: pa.Array = pa.array(list(words.values()), pa.float64()).take(place)
    else:
        parsed = numbers(cells)
    if table.unrated:
        parsed = pc.if_else(_unrated(cells, parsed, table), math.nan, parsed)
    return parsed.cast(pa.float32(), safe=False)


def unreadable(table: Ratings) -> str:
    """The reason to drop a row whose rating is null."""
    return reasons.UNMAPPED_VALUE if table.values else reasons.UNREADABLE_NUMBER


def _unrated(cells: pa.StringArray, parsed: pa.Array, table: Ratings) -> pa.BooleanArray:
    """Where a cell is one of the words for 'not rated', or the same number: -1.0 for -1."""
    words = pa.array(table.unrated, pa.string())
    said = pc.is_in(cells, value_set=words)
    if table.values:
        return said
    same = pc.is_in(parsed, value_set=numbers(words).drop_null())
    return pc.or_(said, same)
