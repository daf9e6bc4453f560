"""Finds out how a text file is written: its encoding, separator, quotes and header."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from components.example_gen.read.files import HEAD_BYTES
from components.example_gen.read.layout import csv_reader
from components.example_gen.read.values import numbers
from components.guess.names import role
from components.guess.told import Section, Told
from schemas.errors import UserError
from schemas.source_tables import Table

Row = list[str]
_SEPARATORS = (",", ";", "\t", "|", "::", "\x01")
_REGULAR = 0.9  # of the lines have the same number of cells where they are cut rightly
_SHOWN = {"\t": r"\t", "\x01": r"\x01"}


@dataclass(frozen=True)
class Form:
    """How a text file is written, and what of its lines says so.

    `multiline` says whether there are cells with line ends in them.
    """

    encoding: str
    table: Table
    width: int
    regular: str
    multiline: bool = False

    def section(self) -> Section:
        """The keys that differ from what a source takes for granted."""
        told: Section = {}
        if self.encoding != "utf-8":
            told["encoding"] = Told(self.encoding, "the bytes are not UTF-8")
        if self.table.separator != ",":
            shown = _SHOWN.get(self.table.separator, self.table.separator)
            told["separator"] = Told(shown, self.regular)
        if not self.table.header:
            told["header"] = Told(False, "the first line looks like those below it")
        if not self.table.quoting:
            told["quoting"] = Told(False, "quotes are part of the text")
        if self.table.escape:
            told["escape"] = Told(self.table.escape, "it stands before quotes in cells")
        return told

    def rows(self, text: bytes) -> list[Row]:
        """The trimmed cells of lines, those apart that are no rows."""
        return [row for row in cut(self.table, self.encoding, text) if len(row) == self.width]


def guess_form(path: str, head: bytes) -> Form:
    """Reads a file's start, without the byte-order mark.

    Raises:
      UserError: no sign cuts most of its lines into as many cells.
    """
    if len(head) >= HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1]
    encoding = _encoding(head)
    tries = [_best(_written_with(path, mark, head), encoding, head) for mark in _marks(head)]
    tries = [one for one in tries if one.width > 1]
    if not tries:
        raise UserError(
            f"{path}: no separator is seen that cuts its lines into cells; take one of , ; | or a "
            "tab, or write the source by hand."
        )
    # Of the marks that cut most lines alike, the one that makes most cells; of equals, the first.
    _, share, width, table = max(
        tries, key=lambda one: (one.share >= _REGULAR, one.width, one.share)
    )
    rows = [row for row in cut(table, encoding, head) if len(row) == width]
    table = table.model_copy(update={"header": has_header(rows)})
    regular = f"it cuts {share:.0%} of the first lines into {width} cells"
    lines = sum(map(bool, map(bytes.strip, head.split(b"\n"))))
    records = len(cut(table, encoding, head))
    return Form(encoding, table, width, regular, table.quoting and lines > records)


class _Try(NamedTuple):
    """A way to cut lines: how many have the usual number of cells, their share, that number."""

    regular: int
    share: float
    width: int
    table: Table


def _marks(head: bytes) -> list[str]:
    marks = [mark for mark in _SEPARATORS if mark.encode() in head]
    return marks or [" "]


def _written_with(path: str, mark: str, head: bytes) -> list[Table]:
    """The ways to write cells with a separator, the usual one first."""
    plain = Table(files=[path], separator=mark, quoting=False)
    if len(mark) > 1:
        return [plain]
    quoted = plain.model_copy(update={"quoting": True})
    escaped = [quoted.model_copy(update={"escape": "\\"})] if rb"\"" in head else []
    return [quoted, *escaped, plain]


def _best(tables: Sequence[Table], encoding: str, head: bytes) -> _Try:
    tries = [_Try(*_regularity(cut(table, encoding, head)), table) for table in tables]
    return max(tries, key=lambda one: one.regular)


def cut(table: Table, encoding: str, text: bytes) -> list[Row]:
    """The trimmed cells of each row of a text; a row that is broken is left out."""
    lines = text.decode(encoding, errors="replace").splitlines(keepends=True)
    if not table.quoting:
        return [
            [cell.strip() for cell in line.split(table.separator)] for line in lines if line.strip()
        ]
    reader = csv_reader(table, lines, strict=False)
    try:
        return [[cell.strip() for cell in row] for row in reader if row]
    except csv.Error:  # a cell of more than 128 KiB: a quote that nothing closes
        return []


def has_header(rows: Sequence[Row]) -> bool:
    """Whether the first row names the columns: it holds words, and they are of another kind."""
    first, below = rows[0], rows[1:]
    if not all(first) or len({*first}) < len(first) or not all(map(_is_word, first)):
        return False
    if not below or sum(role(cell) is not None for cell in first) > 1:
        return True
    return any(map(_differs, first, zip(*below, strict=True)))


def _differs(name: str, cells: Sequence[str]) -> bool:
    """Whether a column's first cell is none of its values, which are numbers or come again."""
    values = Counter(cells)
    repeated = len(values) * 2 <= len(cells) and name not in values
    return repeated or numbers(pa.array(cells, pa.string())).null_count == 0


def _is_word(cell: str) -> bool:
    return not re.match(r"[-+]?[\d.,:]+$|\d{4}-\d{2}-\d{2}", cell)


def _encoding(head: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            head.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _regularity(rows: Sequence[Row]) -> tuple[int, float, int]:
    """How many rows have the usual number of cells, their share, and that number."""
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0, 0.0, 0
    width, count = widths.most_common(1)[0]
    return count, count / widths.total(), width
