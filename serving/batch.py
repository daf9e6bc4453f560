"""Everyone's top k as a Parquet file."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.errors import UserError
from schemas.files import plain_file
from schemas.text import to_texts
from serving.model import Arrays, Model

TOGETHER = 256  # users in one call of the graph
ROW_GROUP = 1 << 17  # rows
_TYPES: dict[str, pa.DataType] = {
    "user_id": pa.string(),
    "rank": pa.int32(),
    "movie_id": pa.string(),
    "movie_title": pa.string(),
    "score": pa.float32(),
    "rating": pa.float32(),
    "source": pa.dictionary(pa.int8(), pa.string()),
}
SCHEMA = pa.schema(_TYPES)


def write_batch(model: Model, users: Sequence[str], k: int, place: Path) -> int:
    """Writes the `k` best movies of every user, beside the place and then into it.

    Memory is bounded: a row group at a time. Returns the number of rows.

    Raises:
      UserError: the place cannot be written to, or is no plain file.
    """
    place = plain_file(place)
    aside = place.with_name(f".batch-{os.getpid()}.parquet")  # a long name leaves no room for more
    rows = 0
    try:
        with pq.ParquetWriter(aside, SCHEMA, compression="zstd") as writer:
            for table in _row_groups(model, users, k):
                writer.write_table(table)
                rows += len(table)
        aside.replace(place)
    except OSError as error:
        raise UserError(f"{place} cannot be written: {error.strerror or error}.") from error
    finally:
        aside.unlink(missing_ok=True)
    return rows


def _row_groups(model: Model, users: Sequence[str], k: int) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for table in _tables(model, users, k):
        waiting.append(table)
        if sum(map(len, waiting)) >= ROW_GROUP:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _tables(model: Model, users: Sequence[str], k: int) -> Iterator[pa.Table]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("users", total=len(users))
        for first in range(0, len(users), TOGETHER):
            some = list(users[first : first + TOGETHER])
            yield _table(model, some, k)
            progress.advance(task, len(some))


def _ratings(outputs: Arrays, there: NDArray[np.bool_]) -> pa.Array:
    """The predicted ratings; nulls where the model was trained without ratings."""
    if "rating" in outputs:
        return pa.array(outputs["rating"][there])
    return pa.nulls(int(there.sum()), pa.float32())


def _table(model: Model, users: list[str], k: int) -> pa.Table:
    outputs = model.call(
        "recommend", user_id=users, history_movie_id=[[]], history_rating=[[]], k=k
    )
    there = np.isfinite(outputs["score"])
    owner, place = np.nonzero(there)
    source = np.array(to_texts(outputs["source"]), object)

    def text(name: str) -> Any:
        return pa.array(to_texts(outputs[name][there]), pa.string())

    arrays = [
        pa.array(np.array(users, object)[owner], pa.string()),
        pa.array((place + 1).astype(np.int32)),
        text("movie_id"),
        text("movie_title"),
        pa.array(outputs["score"][there]),
        _ratings(outputs, there),
        pa.array(source[owner], pa.string()).dictionary_encode().cast(SCHEMA.field(6).type),
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)
