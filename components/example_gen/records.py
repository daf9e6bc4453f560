"""Reads the rows of a small table one by one; a table of movies or users has few."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from components.example_gen import layout, problems
from components.example_gen.files import file_size, read_head, read_pieces
from components.example_gen.problems import SAMPLE_CHARACTERS, Problems
from schemas.errors import UserError
from schemas.source_tables import SmallTable

if TYPE_CHECKING:
    from _csv import Reader

# The casts and crews of The Movies Dataset pass Python's own bound of 128 KiB a cell.
csv.field_size_limit(16 << 20)

# Stands for bytes that are no text in the file's encoding: a character of private use.
_NO_TEXT = "\ue000"
codecs.register_error("mark_no_text", lambda error: (_NO_TEXT, error.end))  # type: ignore[attr-defined]


class Row(NamedTuple):
    """A row of a file: the line it ends in, its cells (None if it cannot be split), a sample."""

    line: int
    cells: list[str] | None
    text: str


class Record(NamedTuple):
    """A good row: our cells by the name of their place in the description, '' where empty."""

    path: str
    line: int
    cells: dict[str, str]


def read_records(table: SmallTable, paths: list[str], found: Problems) -> Iterator[Record]:
    """The rows of a table, file by file.

    Args:
        table: its description.
        paths: its files.
        found: where dropped rows are added.

    Raises:
        UserError: a file is missing, empty, no text, or not in the described format.
    """
    for path in paths:
        places, width, rows = _placed(table, path, _rows(table, path))
        for row in rows:
            cells = None if row.cells is None else _fitted(table, row.cells, width)
            named = {name: _clean(table, cells[at]) for name, at in places.items()} if cells else {}
            if not named:
                found.add(problems.WRONG_COLUMN_COUNT, path, row.line, row.text)
            elif any(_NO_TEXT in cell for cell in named.values()):
                found.add(problems.UNDECODABLE_TEXT, path, row.line, row.text)
            else:
                yield Record(path, row.line, named)


def _rows(table: SmallTable, path: str) -> Iterator[Row]:
    """The rows that are not blank."""
    layout.check_text(path, read_head(path))
    read = _multiline_rows if table.multiline else _line_rows
    return (row for row in read(table, path) if row.text)


def _lines(table: SmallTable, path: str) -> Iterator[str]:
    for piece in read_pieces(path, 0, file_size(path)):
        data = piece.data if piece.start else piece.data.removeprefix(codecs.BOM_UTF8)
        # Not splitlines: titles may hold other line ends of Unicode's.
        yield from io.StringIO(data.decode(table.encoding, errors="mark_no_text"), newline="\n")


def _line_rows(table: SmallTable, path: str) -> Iterator[Row]:
    for number, line in enumerate(_lines(table, path), start=1):
        bare = line.rstrip("\r\n")
        yield Row(number, _split(table, bare), bare.strip()[:SAMPLE_CHARACTERS])


def _split(table: SmallTable, line: str) -> list[str] | None:
    if not table.quoting:
        return line.split(table.separator)
    try:
        return next(_csv_reader(table, [line], strict=True), None)
    except csv.Error:
        return None


def _multiline_rows(table: SmallTable, path: str) -> Iterator[Row]:
    reader = _csv_reader(table, _lines(table, path), strict=False)
    try:
        for cells in reader:
            text = table.separator.join(cell[:SAMPLE_CHARACTERS] for cell in cells[:9])
            yield Row(reader.line_num, cells, text.strip()[:SAMPLE_CHARACTERS])
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: this is not CSV ({error}).") from error


def _csv_reader(table: SmallTable, lines: Iterable[str], strict: bool) -> "Reader":
    return csv.reader(lines, delimiter=table.separator, skipinitialspace=True, strict=strict)


def _placed(
    table: SmallTable, path: str, rows: Iterator[Row]
) -> tuple[dict[str, int], int, Iterator[Row]]:
    """Where our cells stand, counted from 0, how many columns there are, and the data rows."""
    columns = table.used_columns()
    if table.header:
        header = next(rows)
        names = [cell.strip() for cell in header.cells or [header.text]]
        layout.check_width(table, path, len(names), 2)
        first = next(rows, None)
        if first is None:
            raise UserError(f"{path} has a header but no rows.")
        return layout.locate(columns, names, path, header.line), len(names), chain([first], rows)
    places = {name: int(column) - 1 for name, column in columns.items()}
    needed = max(places.values()) + 1
    listed = list(rows)
    # Most rows tell how many columns there are: one broken row is no matter.
    width = Counter(len(row.cells or []) for row in listed).most_common(1)[0][0]
    layout.check_width(table, path, width, needed)
    return places, needed if table.rest_in_last else width, iter(listed)


def _fitted(table: SmallTable, cells: list[str], width: int) -> list[str] | None:
    """Exactly `width` cells, or None; a row cut short by a line end in it is filled up."""
    if table.rest_in_last and len(cells) > width:
        return [*cells[: width - 1], table.separator.join(cells[width - 1 :])]
    if table.multiline and len(cells) < width:
        return cells + [""] * (width - len(cells))
    return cells if len(cells) == width else None


def _clean(table: SmallTable, cell: str) -> str:
    cell = cell.strip()
    return "" if cell in table.nulls else cell
