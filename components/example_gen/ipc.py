"""Arrow tables as bytes and files, the forms in which they reach every worker."""

import pyarrow as pa
import tensorflow as tf


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
