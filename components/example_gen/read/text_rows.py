"""Reads the rows of a text file one by one, as Python's csv takes them."""

import csv
import io
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from components.example_gen.read import blocks, layout, quotes
from components.example_gen.read.files import Piece, file_size, read_head, read_pieces
from components.example_gen.read.problems import SAMPLE_CHARACTERS
from components.examples.arrow import filled
from schemas.source_tables import SmallTable

# The casts and crews of The Movies Dataset pass Python's own bound of 128 KiB a cell.
csv.field_size_limit(16 << 20)

# Stands for bytes that are no text where Python's csv would stumble over NUL; of private use.
NO_TEXT = "\ue000"


class Row(NamedTuple):
    """A row of a text file: its first line, its cells (None if it cannot be split), a sample.

    `unpaired` says that a quote is left open in it, and is read as a part of its cell.
    """

    line: int
    cells: list[str] | None
    text: str
    unpaired: bool = False


def read_text_rows(table: SmallTable, path: str) -> Iterator[Row]:
    """The rows that are not blank."""
    layout.check_text(path, read_head(path))
    read = _multiline_rows if table.multiline and table.quoting else _line_rows
    return (row for row in read(table, path) if row.text)


def _pieces(path: str) -> Iterator[Piece]:
    """The file's lines, without the byte-order mark."""
    for piece in read_pieces(path, 0, file_size(path)):
        yield piece if piece.start else Piece(0, piece.data.removeprefix(BOM_UTF8))


def _lines(table: SmallTable, path: str) -> Iterator[str]:
    for piece in _pieces(path):
        text = piece.data.decode(table.encoding, errors=blocks.NO_TEXT_HANDLER)
        # Not splitlines: titles may hold other line ends of Unicode's.
        yield from io.StringIO(text.replace(blocks.NO_TEXT, NO_TEXT), newline="\n")


def _line_rows(table: SmallTable, path: str) -> Iterator[Row]:
    for number, line in enumerate(_lines(table, path), start=1):
        bare = line.rstrip("\r\n")
        yield Row(number, _split(table, bare), bare.strip()[:SAMPLE_CHARACTERS])


def _split(table: SmallTable, line: str, strict: bool = True) -> list[str] | None:
    if not table.quoting:
        return line.split(table.separator)
    try:
        return next(layout.csv_reader(table, [line], strict), None)
    except csv.Error:
        return None


def _multiline_rows(table: SmallTable, path: str) -> Iterator[Row]:
    """Rows of one or more lines; an unpaired quote touches the line that it is in, and no other."""
    width, key = _outline(table, path)
    before = 0
    for piece, block in quotes.joined(_pieces(path), table, width, [key]):
        texts = filled(blocks.as_lines(block.text))
        for line, text in zip(block.lines.tolist(), texts, strict=True):
            bare = text.rstrip("\r\n").replace(blocks.NO_TEXT, NO_TEXT)
            cells, unpaired = _split(table, bare), False
            if cells is None and quotes.is_open(table, text):
                literal = bare.split(table.separator)
                cells, unpaired = (literal, True) if len(literal) == width else (None, False)
            elif cells is None:
                cells = _split(table, bare, strict=False)
            yield Row(before + line + 1, cells, bare.strip()[:SAMPLE_CHARACTERS], unpaired)
        before += len(blocks.line_starts(piece.data))


def _outline(table: SmallTable, path: str) -> tuple[int, int]:
    """How many columns the file seems to have, and which holds the ids, counted from 0."""
    key = next(iter(table.used_columns().values()))
    lines = (line.rstrip("\r\n") for line in _lines(table, path) if line.strip())
    if table.header:
        names = [name.strip() for name in _split(table, next(lines, "")) or []]
        return max(1, len(names)), names.index(str(key)) if key in names else 0
    widths = Counter(len(_split(table, line) or [""]) for line in islice(lines, 1000))
    return widths.most_common(1)[0][0], int(key) - 1
