"""Stable hashes of ids: the same on every machine, in every process, for every layout of files."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.examples.arrow import numbers_in, value_starts

UInt64s = npt.NDArray[np.uint64]

_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)


def mix(values: UInt64s) -> UInt64s:
    """Spreads 64-bit integers evenly (the finaliser of SplitMix64). Shape [n] -> [n]."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def hash_strings(values: pa.Array) -> UInt64s:
    """Hashes each string of an Arrow string array. Shape [n] -> [n]."""
    encoded = values.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return _fnv(encoded.dictionary)[codes]


def combine(*hashes: UInt64s, seed: int) -> UInt64s:
    """One hash per row out of several, ruled by a seed. Shapes [n], ... -> [n]."""
    result = np.full(len(hashes[0]), mix(np.array([seed], np.uint64))[0])
    for values in hashes:
        result = mix(result ^ values)
    return result


def to_unit(hashes: UInt64s) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1) out of hashes. Shape [n] -> [n]."""
    return (hashes >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def _fnv(strings: pa.Array) -> UInt64s:
    data = strings.buffers()[2]
    hashes = np.full(len(strings), _FNV_OFFSET)
    if data is None:
        return mix(hashes)
    offsets, text = value_starts(strings), numbers_in(data, np.uint8)
    starts, lengths = offsets[:-1], np.diff(offsets)
    rows, position = np.flatnonzero(lengths), 0
    while rows.size:  # one turn per byte of the longest id, over the ids that are that long
        hashes[rows] = (hashes[rows] ^ text[starts[rows] + position]) * _FNV_PRIME
        position += 1
        rows = rows[lengths[rows] > position]
    return mix(hashes)
