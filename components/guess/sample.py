"""Reads rows from all over a file: enough to see what its columns hold."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read import json_lines, parquet
from components.example_gen.read.blocks import as_lines
from components.example_gen.read.files import file_size, line_start_from, read_head, read_pieces
from components.example_gen.read.formats import format_of
from components.example_gen.read.layout import check_text
from components.example_gen.read.packed import packing
from components.guess.form import Form, guess_form
from components.guess.told import Section, Told
from schemas.errors import UserError
from schemas.source_tables import Table

PLACES, MOST_BYTES = 16, 4 << 20  # as many, all over a plain file, or from a packed one's start
MOST_ROWS = 100_000
T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """Some cells of a column as text, '' where empty; `timed`: its type says the moment."""

    name: str
    cells: pa.StringArray
    timed: bool = False

    @cached_property
    def filled(self) -> pa.StringArray:
        """The cells that are not empty."""
        return self.cells.filter(pc.not_equal(self.cells, ""))

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each value is there, the empty one among them, the most frequent first."""
        pairs = pc.value_counts(self.cells).to_pylist()
        return {p["values"]: p["counts"] for p in sorted(pairs, key=lambda p: -p["counts"])}

    @property
    def distinct(self) -> int:
        """How many values there are, but for the empty one."""
        return len(self.counts) - ("" in self.counts)


@dataclass(frozen=True)
class Sample:
    """Rows of one file, column by column in the file's order.

    `section` are the keys that say how the file is read; `whole`: these are all of its rows.
    """

    path: Path
    columns: dict[str, Column]
    section: Section
    whole: bool
    named: bool = True
    multiline: bool = False

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return max((len(column.cells) for column in self.columns.values()), default=0)


def read_sample(path: Path) -> Sample:
    """Reads up to `MOST_ROWS` rows of a file, from its start and from places all over it.

    Raises:
      UserError: the file is missing, empty, no table, or cannot be read.
    """
    place = str(path)
    if format_of(Table(files=[place]), place) == "parquet":
        cells, timed, whole = parquet.sample(place, MOST_ROWS)
        columns = {name: Column(name, cells[name], name in timed) for name in cells}
        return _checked(Sample(path, columns, {}, whole))
    head = read_head(place)
    check_text(place, head)
    head = head.removeprefix(codecs.BOM_UTF8)
    if head.lstrip()[:1] in (b"{", b"["):
        return _checked(_json(path))
    return _checked(_text(path, guess_form(place, head)))


def _checked(sample: Sample) -> Sample:
    if not sample.rows:
        raise UserError(f"{sample.path} has no rows that can be looked at.")
    return sample


def _text(path: Path, form: Form) -> Sample:
    pieces, whole = _pieces(str(path))
    rows = [row for text in pieces for row in form.rows(text)]
    whole, rows = whole and len(rows) <= MOST_ROWS, _thinned(rows)
    first = rows.pop(0) if form.table.header and rows else []
    names = first or [str(place + 1) for place in range(form.width)]
    by_column = zip(*rows, strict=True) if rows else [()] * len(names)
    cells = dict(zip(names, map(_strings, by_column), strict=True))
    columns = {name: Column(name, cells[name]) for name in cells}
    return Sample(path, columns, form.section(), whole, form.table.header, form.multiline)


def _json(path: Path) -> Sample:
    pieces, whole = _pieces(str(path))
    lines = map(as_lines, pieces)
    found = [row for some in lines for row, _ in json_lines.objects(some) if row is not None]
    if not found:
        raise UserError(f"{path} does not hold a JSON object on each line: write one a line.")
    rows = _thinned(found)
    names = dict.fromkeys(name for row in rows for name in row)
    cells = [json_lines.cells_of(row, {name: name for name in names}) for row in rows]
    columns = {name: Column(name, _strings([row[name] for row in cells])) for name in names}
    told = format_of(Table(files=[str(path)]), str(path)) == "jsonl"
    section: Section = {} if told else {"format": Told("jsonl", "each line is a JSON object")}
    return Sample(path, columns, section, whole and len(found) <= MOST_ROWS)


def _thinned(rows: list[T]) -> list[T]:
    """Every so many of the rows, the first among them."""
    return rows[:: -(-len(rows) // MOST_ROWS) or 1]


def _strings(cells: Sequence[str]) -> pa.StringArray:
    return pa.array(cells, pa.string())


def _pieces(path: str) -> tuple[list[bytes], bool]:
    """Whole lines from all over a file, or from the start of a packed one; whether that is all."""
    size = file_size(path)
    if packing(path) or size <= MOST_BYTES:
        pieces = list(_from_start(path, size))
        whole = sum(map(len, pieces)) < MOST_BYTES or not packing(path)
    else:
        pieces, whole = list(_all_over(path, size)), False
    pieces[:1] = [piece.removeprefix(codecs.BOM_UTF8) for piece in pieces[:1]]
    return pieces, whole


def _from_start(path: str, size: int) -> Iterator[bytes]:
    read = 0
    for piece in read_pieces(path, 0, size):
        yield piece.data
        read += len(piece.data)
        if read >= MOST_BYTES:
            return


def _all_over(path: str, size: int) -> Iterator[bytes]:
    for place in range(0, size, size // PLACES + 1):
        start = line_start_from(path, place) if place else 0
        end = min(start + MOST_BYTES // PLACES, size)
        yield from (piece.data for piece in islice(read_pieces(path, start, end), 1))
