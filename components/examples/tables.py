"""Decodes Examples into Arrow tables, and lays the ratings that they hold out one by one."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tfx_bsl.coders import example_coder

from components.examples.records import records

DECODED = 1024  # Examples decoded at once


def tables(
    files: Sequence[str], columns: Sequence[str] | None, schema: Schema | None = None
) -> Iterator[pa.Table]:
    """Reads files of Examples as Arrow tables of list columns, one row per Example.

    Columns that a batch of Examples lacks are left out of its table; None takes all that it has.
    With a schema nothing else is decoded than its features, and those that are lacking are columns
    of nulls.
    """
    decoder = example_coder.ExamplesToRecordBatchDecoder(
        schema.SerializeToString() if schema else None
    )
    for batch in records(files, DECODED):
        decoded = pa.Table.from_batches([decoder.DecodeBatch(list(batch.numpy()))])
        wanted = decoded.column_names if columns is None else columns
        yield decoded.select([name for name in wanted if name in decoded.column_names])


def targets(examples: pa.Table, names: Sequence[str], first: int = 0) -> pa.Table:
    """Lays out the targets of some Examples: one row per target.

    Args:
      examples: a table of `tables`, with `movie_id`.
      names: the columns of targets to lay out.
      first: the number of the first Example.

    Returns:
      `names`, and `example` (int64): the number of the Example that holds the target.
    """
    lengths = pc.list_value_length(examples["movie_id"]).to_numpy()
    numbers = np.arange(first, first + len(examples), dtype=np.int64)
    columns = {name: pc.list_flatten(examples[name]) for name in names}
    return pa.table(columns | {"example": np.repeat(numbers, lengths)})


def targets_per_user(examples: pa.Table) -> pa.Table:
    """The user of each Example as `key`, and its targets as `n`; see `add_up`."""
    lengths = pc.list_value_length(examples["movie_id"])
    return pa.table({"key": pc.list_flatten(examples["user_id"]), "n": lengths})


def add_up(counts: Sequence[pa.Table]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Adds up the tables' `n` by `key`: the keys, each once, and their sums (int64)."""
    parts = [part.set_column(1, "n", part["n"].cast(pa.int64())) for part in counts]
    total = pa.concat_tables(parts).group_by("key").aggregate([("n", "sum")])
    return total["key"], total["n_sum"]
