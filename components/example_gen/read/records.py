"""Reads the rows of a small table one by one; a table of movies or users has few."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from components.example_gen.read import blocks, json_lines, layout, parquet, problems
from components.example_gen.read.files import file_size, read_pieces
from components.example_gen.read.formats import format_of
from components.example_gen.read.problems import SAMPLE_CHARACTERS, Problems
from components.example_gen.read.text_rows import NO_TEXT, Row, read_text_rows
from schemas.errors import UserError
from schemas.source_tables import SmallTable


class Record(NamedTuple):
    """A good row: our cells by the name of their place in the description, '' where empty."""

    path: str
    line: int
    cells: dict[str, str]


class _AnyRow(NamedTuple):
    """A row of any file: our cells by their names, or none, the reason, and what its id may be."""

    line: int
    cells: dict[str, str] | None
    text: str
    reason: str = problems.WRONG_COLUMN_COUNT
    name: str = ""


def read_records(
    table: SmallTable, paths: list[str], dropped: Problems, lost: set[str]
) -> Iterator[Record]:
    """The rows of a table, file by file.

    Args:
      table: its description.
      paths: its files.
      dropped: where dropped rows are added.
      lost: where their ids are added, if they can be read.

    Raises:
      UserError: a file is missing, empty, no text, or not in the described format.
    """
    readers = {"csv": _text_rows, "jsonl": _json_rows, "parquet": _parquet_rows}
    key = next(iter(table.used_columns()))
    for path in paths:
        for row in readers[format_of(table, path)](table, path):
            cells = {name: _clean(table, cell) for name, cell in (row.cells or {}).items()}
            if not cells:
                dropped.add(row.reason, path, row.line, row.text)
                lost.add(row.name)
            elif any(NO_TEXT in cell or blocks.NO_TEXT in cell for cell in cells.values()):
                dropped.add(problems.UNDECODABLE_TEXT, path, row.line, row.text)
                lost.add(cells[key])
            else:
                if row.reason == problems.UNPAIRED_QUOTE:
                    dropped.add(row.reason, path, row.line, row.text)
                yield Record(path, row.line, cells)


def _text_rows(table: SmallTable, path: str) -> Iterator[_AnyRow]:
    places, width, rows = _placed(table, path, read_text_rows(table, path))
    read, lost = 0, []
    for row in rows:
        cells = None if row.cells is None else _fitted(table, row.cells, width)
        named = {name: cells[at] for name, at in places.items()} if cells else None
        read += 1
        if cells is None or (cells != row.cells and not table.rest_in_last):
            lost.append(row.line)
            _check_csv(table, path, width, lost, read, 1000)
        name = "" if named else _name_in(table, row.text, next(iter(places.values())))
        reason = problems.UNPAIRED_QUOTE if row.unpaired else problems.WRONG_COLUMN_COUNT
        yield _AnyRow(row.line, named, row.text, reason, name)
    _check_csv(table, path, width, lost, read, 1)


def _check_csv(
    table: SmallTable, path: str, width: int, lost: list[int], read: int, allowed: int
) -> None:
    if len(lost) > allowed and 2 * len(lost) > read:
        raise UserError(
            f"{path}, line {lost[0]}: this is not CSV of {width} columns separated by "
            f"{table.separator!r}, nor are most of the lines: {len(lost):,} of {read:,}."
        )


def _name_in(table: SmallTable, text: str, place: int) -> str:
    """What seems to be the id in a row that cannot be split as it should."""
    cells = text.split(table.separator)
    return _clean(table, cells[place].strip('"')) if place < len(cells) else ""


def _json_rows(table: SmallTable, path: str) -> Iterator[_AnyRow]:
    form, before = json_lines.plan(table, path), 0
    for piece in read_pieces(path, form.data_start, file_size(path)):
        text = blocks.to_utf8(blocks.ended(piece.data), table.encoding)
        lines = blocks.as_lines(text)
        for place, (row, reason) in enumerate(json_lines.objects(lines)):
            shown = lines[place].as_py().strip()[:SAMPLE_CHARACTERS]
            if row is not None:
                cells = json_lines.cells_of(row, form.columns)
                yield _AnyRow(before + place + 1, cells, shown)
            elif reason:
                yield _AnyRow(before + place + 1, None, shown, reason)
        before += len(lines)


def _parquet_rows(table: SmallTable, path: str) -> Iterator[_AnyRow]:
    parquet.plan(table, path, file_size(path))
    for start, cells in parquet.read(table, path):
        rows = zip(*(column.to_pylist() for column in cells.values()), strict=True)
        for number, values in enumerate(rows, start=start + 1):
            shown = ",".join(values)[:SAMPLE_CHARACTERS]
            yield _AnyRow(number, dict(zip(cells, values, strict=True)), shown)


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
            raise layout.EmptyFile(f"{path} has a header but no rows.")
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
    cell = re.sub(r"[\r\n]+", " ", cell.strip())
    return "" if cell in table.nulls else cell
