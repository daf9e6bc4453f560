"""Reads Parquet files, the only place that opens one: row groups in, cells as text out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Arrow 10 unpickles what a file's schema says of a Python extension type as soon as the file is
# opened (CVE-2023-47248), and a pickle can run anything: with this, opening such a file fails.
import pyarrow_hotfix  # noqa: F401

from components.example_gen.read.files import file_size, opened_whole
from components.example_gen.read.layout import EmptyFile, locate, named_columns
from components.example_gen.read.packed import check_growth, packing
from components.example_gen.read.typed import as_moments, as_text, check_type, has_no_text, is_time
from schemas.errors import UserError
from schemas.source_tables import Table

_ROWS_AT_ONCE = 1 << 16
_LEAST_ROW = 24  # bytes of a rating as text: millions of equal rows may take none in the file
_SAMPLED = 16  # row groups, of which rows are sampled
_READ_AHEAD = 1 << 20  # bytes of each column


class Rows(NamedTuple):
    """Some rows of a file: the place of the first one, from 0, and their cells by our names."""

    start: int
    cells: dict[str, pa.StringArray]


class Plan(NamedTuple):
    """What a file's footer says: our columns that say a moment by their type, and where to cut.

    cuts: rows where row groups start, and the number of all rows; a packed file is in one.
    """

    moments: tuple[str, ...]
    cuts: list[int]


def plan(table: Table, path: str, range_bytes: int) -> Plan:
    """Reads a file's footer.

    Raises:
      UserError: it is no Parquet, a column of the description is not in it, or it has more rows
        than honest data would in so few bytes.
      EmptyFile: it has no rows.
    """
    with _opened(path) as file:
        check_growth(path, file_size(path), file.metadata.num_rows * _LEAST_ROW)
        columns = _columns(table, file, path)
        types = {name: file.schema_arrow.field(column).type for name, column in columns.items()}
        for name, kind in types.items():
            check_type(columns[name], kind, path)
        if not file.metadata.num_rows:
            raise EmptyFile(f"{path} has columns but no rows.")
        cuts, waiting = [0], 0
        for start, size in _groups(file):
            if waiting >= range_bytes and not packing(path):
                cuts.append(start)
                waiting = 0
            waiting += size
        moments = tuple(name for name, kind in types.items() if is_time(kind))
        return Plan(moments, [*cuts, file.metadata.num_rows])


def read(
    table: Table, path: str, start: int = 0, end: int | None = None, time: str = ""
) -> Iterator[Rows]:
    """Streams the row groups that start from row `start` on, and before row `end`.

    Args:
      table: what the file holds.
      path: the file.
      start, end: rows (default: to the end).
      time: our column whose typed times are given in microseconds.

    Raises:
      UserError: the file cannot be read to its end.
    """
    with _opened(path) as file:
        columns = _columns(table, file, path)
        starts = [first for first, _ in _groups(file)]
        wanted = [g for g, first in enumerate(starts) if start <= first < (end or 1 << 62)]
        batches = file.iter_batches(
            _ROWS_AT_ONCE, wanted, list(dict.fromkeys(columns.values())), use_threads=False
        )
        for batch in batches:
            yield Rows(start, _cells(batch, columns, table.encoding, time))
            start += batch.num_rows


def sample(path: str, most: int) -> tuple[dict[str, pa.StringArray], list[str], bool]:
    """Rows from all over a file that nobody has described.

    Args:
      path: the file.
      most: the number of rows, about.

    Returns:
      The cells of each column as text, the columns that say a moment by their type, and whether
      these are all rows.

    Raises:
      UserError: it is no Parquet.
    """
    with _opened(path) as file:
        fields = {field.name: field.type for field in file.schema_arrow}
        names = [name for name, kind in fields.items() if not has_no_text(kind)]
        groups = range(0, file.num_row_groups, max(1, file.num_row_groups // _SAMPLED))
        each = max(1, most // max(len(groups), 1))
        parts = [
            {name: as_text(batch.column(name)) for name in names}
            for group in groups
            for batch in islice(file.iter_batches(each, [group], names, use_threads=False), 1)
        ]
        rows = sum(len(cells) for part in parts for cells in [*part.values()][:1])
        cells = {name: pa.concat_arrays([p[name] for p in parts]) for name in names if parts}
        timed = [name for name in names if is_time(fields[name])]
        return cells, timed, rows == file.metadata.num_rows


def _cells(
    batch: pa.RecordBatch, columns: Mapping[str, str], encoding: str, time: str
) -> dict[str, pa.StringArray]:
    cells = {}
    for name, column in columns.items():
        values = batch.column(batch.schema.get_field_index(column))
        typed = name == time and is_time(values.type)
        cells[name] = as_moments(values) if typed else as_text(values, encoding)
    return cells


def _groups(file: pq.ParquetFile) -> list[tuple[int, int]]:
    """The first row and the bytes of each row group."""
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    starts = np.cumsum([0, *(group.num_rows for group in groups)]).tolist()
    return [(start, group.total_byte_size) for start, group in zip(starts, groups, strict=False)]


def _columns(table: Table, file: pq.ParquetFile, path: str) -> dict[str, str]:
    columns = named_columns(table, path)
    locate(columns, file.schema_arrow.names, path)
    return columns


@contextmanager
def _opened(path: str) -> Iterator[pq.ParquetFile]:
    with opened_whole(path) as stream, _as_user_errors(path):
        yield pq.ParquetFile(
            pa.PythonFile(stream, "r"),  # type: ignore[arg-type]  # any file object will do
            buffer_size=_READ_AHEAD,
            coerce_int96_timestamp_unit="us",
        )


@contextmanager
def _as_user_errors(path: str) -> Iterator[None]:
    try:
        yield
    # Arrow's own errors, those that it passes on, and those about pickles where columns should be.
    except (pa.ArrowException, OSError, RuntimeError, ValueError, LookupError) as error:
        said = str(error).split("\n")[0].rstrip(".:")
        raise UserError(f"{path} is no Parquet file that can be read: {said}.") from error
