"""What Arrow's arrays hold, as Python and NumPy have it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def filled(values: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values of an array without nulls."""
    listed: list[Any] = values.to_pylist()
    return listed


def grouped(table: pa.Table, keys: list[str], wanted: Sequence[tuple[str, Any]]) -> pa.Table:
    """What is `wanted` of each combination of keys, in that order, then the keys, as in Arrow 10.

    Later releases put the keys first.
    """
    found = table.group_by(keys).aggregate(list(wanted))
    return found.select([*(name for name in found.column_names if name not in keys), *keys])


def value_starts(values: pa.Array) -> NDArray[np.int32]:
    """Where each text or binary value starts in the array's bytes, and the end: [values + 1]."""
    numbers = numbers_in(values.buffers()[1], np.int32)
    return numbers[values.offset :][: len(values) + 1]


def numbers_in(buffer: Any, kind: type[Any]) -> NDArray[Any]:
    """The numbers of this kind that a buffer holds, not copied."""
    return np.frombuffer(buffer, kind)
