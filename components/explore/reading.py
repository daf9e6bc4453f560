"""Reads the Examples' targets, one partition of users at a time, as flat Arrow tables.

Shard i of every split holds the same users, all of them whole: see the rating example gen.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from tensorflow_metadata.proto.v0.schema_pb2 import Schema

from components.example_gen.split.splits import SPLITS
from components.examples.paths import split_dir
from components.examples.tables import tables, targets
from components.validation.curated import curated_schema
from schemas.source import Source

_NO_TEXT, _NO_NUMBERS = pa.array([], pa.large_binary()), pa.array([], pa.float32())
_NO_RATINGS = {
    "movie_id": _NO_TEXT,
    "rating": pa.array([], pa.float64()),
    "timestamp": pa.array([], pa.int64()),
    "split": pa.array([], pa.int8()),
    "example": pa.array([], pa.int64()),
}


@dataclass(frozen=True)
class Partition:
    """The ratings of some users, whole.

    ratings: one row per rating: user (row of `users`), movie (row of the catalogue), both int32;
      split (int8, place in SPLITS), rating (float64; NaN where not rated, and throughout where
      the source has no ratings), timestamp (int64; left out without times).
      The rows of one user in one split are in the user's order.
    users: one row per user: user_id, and the user features of the source: binary ('' unknown), or
      float32 of numbers (NaN unknown).
    events: a row for each of `ratings`: their own features, as those of `users`.
    """

    ratings: pa.Table
    users: pa.Table
    events: pa.Table


def shards(examples: str) -> list[str]:
    """The names of an Examples artifact's shards, the same in every split.

    Raises:
      ValueError: the splits differ in their shards, so they are not the rating example gen's.
    """
    found = [sorted(map(os.fsdecode, tf.io.gfile.listdir(split_dir(examples, n)))) for n in SPLITS]
    if any(names != found[0] for names in found):
        raise ValueError(f"The splits of {examples} differ in their shards.")
    return found[0]


def read_partition(uri: str, shard: str, source: Source, movie_ids: pa.Array) -> Partition:
    """Reads the shard of that name in every split.

    Args:
      uri: the Examples artifact's folder.
      shard: one of `shards`.
      source: what the Examples were made of.
      movie_ids: binary, the catalogue's ids in its order.

    Raises:
      ValueError: a movie is not in the catalogue.
    """
    timed = ["timestamp"] if source.has_timestamps else []
    rated = ["rating"] if source.has_ratings else []
    names = source.features
    own = [*names.events]
    rows, examples = _read(uri, shard, source, ["movie_id", *rated, *timed, *own])
    if not rated:
        rows = rows.append_column("rating", pa.array(np.full(len(rows), np.nan)))
    ids = pc.unique(examples["user_id"])
    users = examples.take(pc.index_in(ids, value_set=_array(examples, "user_id")))
    movie = pc.index_in(_array(rows, "movie_id"), value_set=movie_ids)
    if movie.null_count:
        raise ValueError(f"{uri} rates movies that the catalogue lacks.")
    owner = pc.index_in(_array(examples, "user_id"), value_set=ids)
    columns = {"user": owner.take(_array(rows, "example")), "movie": movie}
    kept = {name: rows[name] for name in ("split", "rating", *timed)}
    return Partition(pa.table({**columns, **kept}), users, rows.select(own))


def _read(
    uri: str, shard: str, source: Source, columns: Sequence[str]
) -> tuple[pa.Table, pa.Table]:
    """The targets of all splits with the row of their Example, and the Examples' users."""
    who = ["user_id", *source.features.users]
    schema = _schema(source, [*columns, *who])
    names = source.features
    events = {name: _NO_NUMBERS if name in names.numbers else _NO_TEXT for name in names.events}
    nothing = {**_NO_RATINGS, **events}
    ratings = [pa.table({name: nothing[name] for name in (*columns, "split", "example")})]
    nobody = {name: _NO_NUMBERS if name in names.numbers else _NO_TEXT for name in who}
    people, examples = [pa.table(nobody)], 0
    for code, split in enumerate(SPLITS):
        for batch in tables([f"{split_dir(uri, split)}/{shard}"], [*columns, *who], schema):
            ratings.append(_targets(batch, columns, code, examples))
            people.append(pa.table({name: pc.list_element(batch[name], 0) for name in who}))
            examples += len(batch)
    return pa.concat_tables(ratings).combine_chunks(), pa.concat_tables(people).combine_chunks()


def _schema(source: Source, features: Sequence[str]) -> Schema:
    """The curated schema of rating Examples with nothing but these features."""
    schema = curated_schema("ratings", source, 0.0)
    kept = [feature for feature in schema.feature if feature.name in features]
    del schema.feature[:]
    schema.feature.extend(kept)
    return schema


def _targets(examples: pa.Table, names: Sequence[str], code: int, first: int) -> pa.Table:
    """The targets of a batch one by one, each with its split and the number of its Example."""
    rows = targets(examples, names, first)
    if "rating" in names:
        place = rows.column_names.index("rating")
        rows = rows.set_column(place, "rating", rows["rating"].cast(pa.float64()))
    split = pa.array(np.full(len(rows), code, np.int8))
    return rows.append_column("split", split).select([*names, "split", "example"])


def _array(table: pa.Table, name: str) -> pa.Array:
    """A column in one piece."""
    chunks = table[name].chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
