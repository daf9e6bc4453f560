"""Stores a notebook's tables as the files of a source."""

import filecmp
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import UserError


def write_tables(folder: Path, **tables: Any) -> list[Path]:
    """Writes each table that is given to NAME.parquet, and removes the file of one that is not.

    A file that holds the same already stays as it is, so that the run finds what it has cached.

    Args:
      folder: is made if need be.
      **tables: pandas DataFrames, Arrow tables or None, by name.

    Returns:
      The files, in the tables' order.

    Raises:
      UserError: something is no table, holds values that no file takes, or cannot be written.
    """
    arrow = {name: as_arrow(name, table) for name, table in tables.items() if table is not None}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in tables.keys() - arrow.keys():
            (folder / f"{name}.parquet").unlink(missing_ok=True)
        return [_written(folder / f"{name}.parquet", table) for name, table in arrow.items()]
    except OSError as error:
        raise UserError(f"{folder} cannot be written to: {error.strerror or error}.") from error


def as_arrow(name: str, table: Any) -> pa.Table:
    """A table as Arrow has it, without pandas' index.

    Raises:
      UserError: it is none, it is empty, or a column mixes types.
    """
    if not isinstance(table, pa.Table):
        try:
            table = pa.Table.from_pandas(table, preserve_index=False)
        except (pa.ArrowException, AttributeError, TypeError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise UserError(
                f"{name} is not a pandas DataFrame or Arrow table that can be stored: {first}."
            ) from error
    if not table.num_rows:
        raise UserError(f"{name} has no rows.")
    # What pandas notes of itself would make equal tables differ.
    return table.replace_schema_metadata(None)


def _written(place: Path, table: pa.Table) -> Path:
    aside = place.with_name(f".{place.name}")
    try:
        pq.write_table(table, aside)
        if not (place.exists() and filecmp.cmp(aside, place, shallow=False)):
            aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)
    return place
