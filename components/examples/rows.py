"""What became of a source's rows: the content of rows.json, which lies beside the Examples."""

import json
from typing import Literal, TypedDict

import tensorflow as tf

from schemas.artifacts import ROWS_FILE


class DroppedRow(TypedDict):
    """A dropped row: why, and where it stands."""

    reason: str
    file: str
    line: int
    text: str


class FirstCell(TypedDict):
    """Where the first of some unreadable cells stands."""

    file: str
    line: int
    text: str


class UnreadableCells(TypedDict):
    """Cells of one column, of `of` rows that were kept, which cannot be read for one reason."""

    column: str
    reason: str
    cells: int
    of: int
    first: FirstCell


class SplitSize(TypedDict):
    """Of one split: ratings, the Examples that hold them, ratings that share their moment."""

    ratings: int
    examples: int
    tied: int


class MostRows(TypedDict):
    """The user or the movie with the most rows."""

    id: str
    rows: int


class DataSize(TypedDict):
    """How large the data are that were kept; see `RowsReport`."""

    splits: dict[str, SplitSize]
    users: int
    strangers: int
    top_user: MostRows
    top_movie: MostRows
    movies: int
    time_range: list[int] | None
    cutoffs: dict[str, int] | None
    history: Literal["before", "rest"]


class RowTotals(DataSize):
    """What the graph counted; see `RowsReport`."""

    read: int
    kept: int
    rated: int
    unrated: int
    dropped: dict[str, int]
    samples: list[DroppedRow]
    tables_dropped: dict[str, int]
    unpaired_quotes: int
    empty_files: int


class RowsReport(RowTotals):
    """All that is written down of the rows.

    read: rows of the rating files: `kept` and all that is `dropped`, by reason; of the kept ones
      some are `rated`, the others `unrated`.
    samples: some of the dropped rows, those of the movie and user tables too.
    tables_dropped: rows of those tables, by reason.
    unpaired_quotes: rows of those tables that were kept, with a quote that is never closed.
    empty_files: files without rows.
    splits: by name.
    users: how many have ratings; `strangers` of them are not in the users table.
    movies: how many are in the catalogue.
    time_range: the first and the last moment, in microseconds since 1970; None without times.
    cutoffs: where valid and eval begin, in microseconds; None where nothing is cut by time.
    history: what the histories of valid and eval hold, see `split.history`.
    cells: what was not readable of the movie and user tables.
    findings: what is out of the ordinary, a sentence each.
    """

    cells: list[UnreadableCells]
    findings: list[str]


def rows_path(examples_uri: str) -> str:
    """Where the report lies beside the Examples of this folder."""
    return f"{examples_uri.rstrip('/')}/{ROWS_FILE}"


def write_rows(examples_uri: str, rows: RowsReport) -> None:
    """Writes the report into the folder of the Examples."""
    with tf.io.gfile.GFile(rows_path(examples_uri), "w") as file:
        file.write(json.dumps(rows, indent=1))


def read_rows(examples_uri: str) -> RowsReport:
    """Reads what `write_rows` wrote."""
    with tf.io.gfile.GFile(rows_path(examples_uri)) as file:
        rows: RowsReport = json.load(file)
    return rows
