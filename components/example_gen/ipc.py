"""Arrow tables in files, the form in which they reach every worker."""

import uuid
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

# As for Parquet: nothing in a stream may run code, whoever wrote into the folder of a run.
import pyarrow_hotfix  # noqa: F401
import tensorflow as tf


class Spilled(NamedTuple):
    """Where a table lies: an Arrow stream of `size` bytes from `start` on in a file."""

    path: str
    start: int
    size: int


def spill(tables: Iterable[pa.Table], folder: str) -> list[Spilled]:
    """Writes tables one after another to one new file in the folder, and says where they lie.

    Nothing refers to the file of an attempt that failed: every attempt has a name of its own.
    """
    path, start = f"{folder.rstrip('/')}/{uuid.uuid4().hex}.arrow", 0
    places = []
    with tf.io.gfile.GFile(path, "wb") as file:
        for table in tables:
            stream = to_bytes(table)
            file.write(stream)
            places.append(Spilled(path, start, len(stream)))
            start += len(stream)
    return places


def unspill(place: Spilled) -> pa.Table:
    """Reads what `spill` wrote."""
    with tf.io.gfile.GFile(place.path, "rb") as file:
        file.seek(place.start)
        return from_bytes(file.read(place.size))


def to_bytes(table: pa.Table) -> bytes:
    """An Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def from_bytes(data: bytes) -> pa.Table:
    """The table of an Arrow stream; it shares the memory of `data`."""
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()


def save_table(table: pa.Table, path: str) -> None:
    """Writes a table as a file, local or remote."""
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(to_bytes(table))


def load_table(path: str) -> pa.Table:
    """Reads what `save_table` wrote."""
    with tf.io.gfile.GFile(path, "rb") as file:
        return from_bytes(file.read())
