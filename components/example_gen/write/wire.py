"""Columns of ragged values as serialised tf.train.Examples, without a loop over values or rows.

The wire form of every value is made once; a list of values is then a copy of consecutive bytes.
Features stand in alphabetical order, so equal Examples are equal bytes in every run: what
`Example.SerializeToString(deterministic=True)` gives, to the byte.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.examples.arrow import filled, value_starts

Int64s = npt.NDArray[np.int64]

_FIRST, _SECOND, _THIRD = b"\x0a", b"\x12", b"\x1a"  # tags of length-delimited fields


@dataclass(frozen=True)
class Pieces:
    """The wire form of each value of a column.

    values: [values] binary; field: tag of the list in tf.train.Feature; packed: whether a list's
    values stand in one run behind their common length.
    """

    values: pa.Array
    field: bytes
    packed: bool


def to_pieces(column: pa.Array) -> Pieces:
    """Prepares a column of string, binary, float32 or int64 (no nulls). Shape [values]."""
    if pa.types.is_floating(column.type):
        raw = column.cast(pa.float32()).to_numpy(zero_copy_only=False).astype("<f4")
        return Pieces(_binary(np.arange(len(raw) + 1) * 4, raw), _SECOND, True)
    if pa.types.is_integer(column.type):
        numbers = column.cast(pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64)
        return Pieces(varints(numbers), _THIRD, True)
    text = column.cast(pa.binary())
    return Pieces(_join(_head(_FIRST, text), text), _FIRST, False)


def serialise(columns: dict[str, tuple[Pieces, Int64s, Int64s]]) -> list[bytes]:
    """Serialised Examples.

    Args:
      columns: by feature name, the values, the rows of them that the lists hold one after
        another [entries], and the offsets of the lists [examples + 1].
    """
    parts: list[Any] = []
    for name, (pieces, rows, offsets) in sorted(columns.items()):
        parts += _entry(name, pieces, _lists(pieces, rows, offsets))
    return filled(_join(_head(_FIRST, *parts), *parts))


def varints(numbers: npt.NDArray[np.uint64]) -> pa.Array:
    """Base-128 integers as protocol buffers write them. Shape [n] -> binary [n]."""
    lengths = np.ones(len(numbers), np.int64)
    for size in range(1, 10):
        longer = numbers >> np.uint64(7 * size) != 0
        if not longer.any():
            break
        lengths += longer
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    data = np.empty(offsets[-1], np.uint8)
    for place in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > place)
        bits = (numbers[rows] >> np.uint64(7 * place)).astype(np.uint8) & 0x7F
        more = (lengths[rows] > place + 1).astype(np.uint8) << 7
        data[offsets[rows] + place] = bits | more
    return _binary(offsets, data)


def _lists(pieces: Pieces, rows: Int64s, offsets: Int64s) -> pa.Array:
    """The values of each list in one run: taken in order, they already are."""
    taken = pieces.values.take(pa.array(rows))
    return _binary(value_starts(taken)[offsets], taken.buffers()[2])


def _entry(name: str, pieces: Pieces, lists: pa.Array) -> list[Any]:
    """One entry of the map of features, as parts to be joined: heads of messages, then values."""
    key = _FIRST + bytes([len(name)]) + name.encode()
    parts: list[Any] = [lists]
    if pieces.packed:
        empty = pc.equal(pc.binary_length(lists), 0)
        parts.insert(0, pc.if_else(empty, pa.scalar(b""), _head(_FIRST, *parts)))
    parts.insert(0, _head(pieces.field, *parts))
    parts.insert(0, _head(_SECOND, *parts))
    parts.insert(0, pa.scalar(key))
    return [_head(_FIRST, *parts), *parts]


def _head(field: bytes, *parts: Any) -> pa.Array:
    """Tag and length of a message of these parts."""
    sizes = sum(_size(part) for part in parts)
    return _join(pa.scalar(field), varints(np.asarray(sizes).view(np.uint64)))


def _size(part: Any) -> Any:
    if isinstance(part, pa.Scalar):
        return len(part.as_py())
    return pc.binary_length(part).to_numpy(zero_copy_only=False).astype(np.int64)


def _join(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, pa.scalar(b""))


def _binary(offsets: npt.NDArray[Any], data: Any) -> pa.Array:
    ends = pa.py_buffer(offsets.astype(np.int32).data)
    content = data if isinstance(data, pa.Buffer) else pa.py_buffer(data)
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, ends, content])
