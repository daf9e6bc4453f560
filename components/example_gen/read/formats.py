"""What a file is: lines of cells, lines of JSON or Parquet."""

from pathlib import PurePosixPath
from typing import Literal

from components.example_gen.read.packed import inner_name
from schemas.source_tables import Table

Format = Literal["csv", "jsonl", "parquet"]

_NAMES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
}


def format_of(table: Table, path: str) -> Format:
    """What the table says its files are, or else the file's name, or that of the file in a zip.

    Raises:
      UserError: a zip archive is broken, encrypted or holds more than one file.
    """
    name = inner_name(path)
    return table.format or _NAMES.get(PurePosixPath(name).suffix.lower(), "csv")
