"""Who rated what, from the targets of all splits: every kept rating is one of them exactly once."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf import text_format
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0.schema_pb2 import Schema

from components.examples.tables import add_up, tables, targets, targets_per_user

COLUMNS = ("user_id", "movie_id", "timestamp")
# Nothing else is decoded: histories repeat ratings a hundred times over.
SCHEMA = text_format.Parse(
    'feature { name: "user_id" type: BYTES } feature { name: "movie_id" type: BYTES } '
    'feature { name: "timestamp" type: INT }',
    Schema(),
)


class Ratings(NamedTuple):
    """The ratings of some users, [ratings] each.

    owner: place of the user among those asked for.
    movie: row of the catalogue.
    time: 0 where the source has none.
    eval: whether it is one of eval.
    """

    owner: NDArray[Any]
    movie: NDArray[Any]
    time: NDArray[Any]
    eval: NDArray[Any]


def count_users(splits: Mapping[str, Sequence[str]]) -> tuple[pa.Array, NDArray[Any]]:
    """Every user of the splits' files, and how many ratings each has: binary, int64 [users]."""
    parts = []
    for files in splits.values():
        for found in tables(files, COLUMNS[:2], SCHEMA):
            parts.append(targets_per_user(found))
    if not parts:
        return pa.array([], pa.large_binary()), np.zeros(0, np.int64)
    users, counts = add_up(parts)
    return users.combine_chunks(), counts.to_numpy()


def ratings_of(splits: Mapping[str, Sequence[str]], users: pa.Array, movies: pa.Array) -> Ratings:
    """All ratings of some users, in one streamed pass over the splits' files.

    Args:
      splits: TFRecord files by split.
      users, movies: large_binary, the users asked for, and the catalogue's ids.
    """
    parts = [Ratings(*(np.zeros(0, dtype) for dtype in (int, int, int, bool)))]
    for split, files in splits.items():
        for found in tables(files, COLUMNS, SCHEMA):
            owners = pc.index_in(pc.list_flatten(found["user_id"]), value_set=users)
            parts.append(_own(found.filter(owners.is_valid()), owners.drop_null(), movies, split))
    return Ratings(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _own(examples: pa.Table, owners: Any, movies: pa.Array, split: str) -> Ratings:
    rated = targets(examples, ["movie_id"])
    times = pc.list_flatten(examples["timestamp"]).to_numpy()
    return Ratings(
        owners.to_numpy().astype(np.int64)[rated["example"].to_numpy()],
        pc.index_in(rated["movie_id"], value_set=movies).fill_null(-1).to_numpy().astype(np.int64),
        times if len(times) else np.zeros(len(rated), np.int64),
        np.full(len(rated), split == "eval"),
    )
