"""By what evaluated ratings are sliced: features of the user, the movie and the moment.

Each dimension makes pairs of (row, value) from a batch of Examples and the model's outputs, so that
a rating may lie in several slices of one dimension (a movie's genres) or in none (unknown).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.features import SEPARATOR, bucket_of

OVERALL = "overall"  # the slice that holds every example
SESSION = 3600 * 1_000_000  # microseconds without a pause that make one session
HISTORY_EDGES = (1, 6, 21)  # lengths at which the next of `HISTORY_NAMES` begins
HISTORY_NAMES = np.array(["0", "1-5", "6-20", "more than 20"])
SITTINGS = np.array(["same", "after a pause", "first of all"])
SAME_SITTING, AFTER_PAUSE, FIRST_OF_ALL = range(len(SITTINGS))
SliceKey = tuple[tuple[str, str], ...]


class Members(NamedTuple):
    """Which rows have which value: int64 [pairs] and str [pairs], aligned."""

    rows: NDArray[Any]
    values: NDArray[Any]


def history(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]]) -> Members:
    """By how many ratings the history holds."""
    lengths = _lengths(batch, "history_movie_id")
    return _one_each(HISTORY_NAMES[np.searchsorted(HISTORY_EDGES, lengths, side="right")])


def popularity(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]]) -> Members:
    """By tenth of the movies that train holds, 1 being the most rated; other movies have none.

    A tenth holds a tenth of the movies, not of the ratings.
    """
    tenth = outputs["movie_tenth"].astype(np.int64)
    rows = np.flatnonzero(tenth > 0)
    return Members(rows, np.char.zfill(tenth[rows].astype(str), 2))


def user(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]]) -> Members:
    """Whether train knows the user."""
    return _one_each(np.where(outputs["known_user"] > 0, "known", "cold"))


def movie(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]]) -> Members:
    """Whether train holds a rating of the movie."""
    return _one_each(np.where(outputs["movie_tenth"] > 0, "known", "cold"))


def session(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]]) -> Members:
    """Whether the newest rating of the history is less than an hour old, or there was a pause.

    A rating with no history is the first of all. Left out where there are no times, or the history
    is not all earlier.
    """
    if "timestamp" not in batch.schema.names:
        return _no_members()
    lengths = _lengths(batch, "history_timestamp")
    sittings = np.full(len(batch), FIRST_OF_ALL)
    rows = np.flatnonzero(lengths)
    if not len(rows):
        return _one_each(SITTINGS[sittings])
    newest = np.asarray(_flat(batch, "history_timestamp"))[np.cumsum(lengths)[rows] - 1]
    gap = np.asarray(_flat(batch, "timestamp"))[rows] - newest
    sittings[rows] = np.where(gap < SESSION, SAME_SITTING, AFTER_PAUSE)
    kept = np.setdiff1d(np.arange(len(batch)), rows[gap < 0])
    return Members(kept, SITTINGS[sittings[kept]])


def genre(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]]) -> Members:
    """By genre of the movie, each of them."""
    if "genres" not in batch.schema.names:
        return _no_members()
    parts = pc.split_pattern(_flat(batch, "genres").cast(pa.string()), SEPARATOR)
    rows, values = pc.list_parent_indices(parts), pc.list_flatten(parts)
    return _with_text(np.asarray(rows), values)


def decade(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]]) -> Members:
    """By the decade of the movie's year."""
    if "year" not in batch.schema.names:
        return _no_members()
    years = np.asarray(_flat(batch, "year"))
    rows = np.flatnonzero(years > 0)
    return Members(rows, np.char.add((years[rows] // 10 * 10).astype(str), "s"))


def feature(batch: pa.RecordBatch, outputs: Mapping[str, NDArray[Any]], name: str) -> Members:
    """By a feature of the user; by buckets if it is a number."""
    if bucket_of(name) in outputs:
        names = pa.array(outputs[bucket_of(name)].tolist(), pa.large_binary())
        return _with_text(np.arange(len(batch)), names)
    if name not in batch.schema.names or _is_number(batch, name):
        return _no_members()
    column = batch.column(batch.schema.get_field_index(name))
    return _with_text(np.asarray(pc.list_parent_indices(column)), _flat(batch, name))


DIMENSIONS: dict[str, Callable[[pa.RecordBatch, Mapping[str, NDArray[Any]]], Members]] = {
    "history": history,
    "user": user,
    "movie": movie,
    "popularity": popularity,
    "session": session,
    "genre": genre,
    "decade": decade,
}


def dimensions(user_features: Sequence[str]) -> list[str]:
    """Everything that can be sliced by, where users have these features."""
    own = list(DIMENSIONS)
    behind = own.index("session") + 1
    return [*own[:behind], *user_features, *own[behind:]]


def slice_rows(
    batch: pa.RecordBatch,
    outputs: Mapping[str, NDArray[Any]],
    names: list[str],
    crosses: list[list[str]],
) -> dict[SliceKey, NDArray[Any]]:
    """Which rows of a batch lie in which slice; the overall slice has the empty key.

    Args:
      batch: Examples of one target each.
      outputs: the model's, [rows] each: `movie_tenth`, `known_user` and users' buckets are read.
      names: the dimensions to slice by; what is none of `DIMENSIONS` is a feature of users.
      crosses: pairs of dimensions to cross.
    """
    needed = {*names, *(name for pair in crosses for name in pair)}
    found = {
        name: (
            DIMENSIONS[name](batch, outputs)
            if name in DIMENSIONS
            else feature(batch, outputs, name)
        )
        for name in sorted(needed)
    }
    masks = {name: _masks(members, len(batch)) for name, members in found.items()}
    slices: dict[SliceKey, NDArray[Any]] = {(): np.arange(len(batch))}
    for name in names:
        slices |= {((name, v),): np.flatnonzero(mask) for v, mask in masks[name].items()}
    for one, other in (sorted(pair) for pair in crosses):
        for (first, mask), (second, also) in product(masks[one].items(), masks[other].items()):
            if (mask & also).any():
                slices[(one, first), (other, second)] = np.flatnonzero(mask & also)
    return slices


def parse_slice(name: str) -> list[tuple[str, str | None]]:
    """Reads 'genre', 'genre=Drama' or 'age=25,gender=F' into dimensions and values."""
    parts = (part.partition("=") for part in name.split(","))
    return sorted((d.strip(), value.strip() if equals else None) for d, equals, value in parts)


def slice_name(key: tuple[tuple[str, object], ...]) -> str:
    """Writes a slice's key as `parse_slice` reads it."""
    return ",".join(f"{dimension}={value}" for dimension, value in key)


def _masks(members: Members, rows: int) -> dict[str, NDArray[Any]]:
    """Which rows have each value: bool [rows]."""
    masks = {}
    for value in np.unique(members.values):
        mask = np.zeros(rows, bool)
        mask[members.rows[members.values == value]] = True
        masks[str(value)] = mask
    return masks


def _one_each(values: NDArray[Any]) -> Members:
    """Every row with its own value."""
    return Members(np.arange(len(values)), values)


def _no_members() -> Members:
    return Members(np.zeros(0, np.int64), np.zeros(0, str))


def _with_text(rows: NDArray[Any], values: pa.Array) -> Members:
    """The rows whose value is not empty."""
    texts = np.asarray(values.cast(pa.string()).to_numpy(zero_copy_only=False))
    return Members(rows[texts != ""], texts[texts != ""])


def _is_number(batch: pa.RecordBatch, name: str) -> bool:
    """Whether a feature is a number, which the model does not read if it says no bucket of it."""
    return bool(pa.types.is_floating(_flat(batch, name).type))


def _flat(batch: pa.RecordBatch, name: str) -> pa.Array:
    return pc.list_flatten(batch.column(batch.schema.get_field_index(name)))


def _lengths(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    if name not in batch.schema.names:
        return np.zeros(len(batch), np.int64)
    lengths = pc.list_value_length(batch.column(batch.schema.get_field_index(name)))
    return np.asarray(pc.fill_null(lengths, 0)).astype(np.int64)
