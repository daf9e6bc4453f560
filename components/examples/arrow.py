"""What Arrow's arrays hold, as Python and NumPy have it."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def filled(values: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values of an array without nulls."""
    listed: list[Any] = values.to_pylist()
    return listed


def value_starts(values: pa.Array) -> NDArray[np.int32]:
    """Where each text or binary value starts in the array's bytes, and the end: [values + 1]."""
    numbers = numbers_in(values.buffers()[1], np.int32)
    return numbers[values.offset :][: len(values) + 1]


def numbers_in(buffer: Any, kind: type[Any]) -> NDArray[Any]:
    """The numbers of this kind that a buffer holds, not copied."""
    return np.frombuffer(buffer, kind)
