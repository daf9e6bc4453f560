"""Finds where a file's data begin and where its columns stand, before the reading begins."""

import codecs
import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from components.example_gen.files import HEAD_BYTES, read_head
from schemas.errors import UserError
from schemas.source_parts import Column
from schemas.source_tables import Ratings, Table

_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\x1c\x1d\x1e\x1f"))
_SEPARATORS = (",", ";", "\t", "|", "::")


@dataclass(frozen=True)
class Layout:
    """What the start of a ratings file says: the same for all of its ranges.

    `data_start` is the byte after the header (or byte-order mark), `header_lines` how many lines
    that is, `width` the number of columns, `positions` where ours are, counted from 0.
    """

    data_start: int
    header_lines: int
    width: int
    positions: tuple[tuple[str, int], ...]


def plan_layout(table: Ratings, path: str) -> Layout:
    """Reads the start of a ratings file.

    Raises:
        UserError: the file is missing, empty, no text, or not in the declared format.
    """
    head = read_head(path)
    check_text(path, head)
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    lines = 0
    if table.header:
        header, start, lines = _header(table, path, head, start)
        if not head[start:].strip() and len(head) < HEAD_BYTES:
            raise UserError(f"{path} has a header but no rows.")
        width = len(header)
        positions = locate(table.used_columns(), header, path, lines)
    else:
        width = _usual_width(table, path, head[start:])
        positions = {name: int(column) - 1 for name, column in table.used_columns().items()}
        check_width(table, path, width, max(positions.values()) + 1)
    return Layout(start, lines, width, tuple(positions.items()))


def check_text(path: str, head: bytes) -> None:
    """Raises UserError unless the start of a file looks like lines of text."""
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise UserError(f"{path} is empty.")
    if head.startswith(_BYTE_ORDER_MARKS):
        raise UserError(f"{path} is UTF-16 text: convert it to UTF-8 first.")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > 8 and controls * 50 > len(head):
        raise UserError(f"{path} is not a text file (if it is packed, its name has to end in .gz).")
    if b"\n" not in head and b"\r" in head.rstrip():
        raise UserError(f"{path} has bare carriage returns for line ends: convert them first.")
    if b"\n" not in head and len(head) == HEAD_BYTES:
        raise UserError(f"{path} is not a text file of short lines: the first one never ends.")


def locate(
    columns: Mapping[str, Column], header: list[str], path: str, line: int
) -> dict[str, int]:
    """Where the named columns stand in the header, counted from 0.

    Raises:
        UserError: a column is not there, or there twice.
    """
    for column in columns.values():
        if header.count(str(column)) != 1:
            times = "twice" if str(column) in header else "nowhere"
            count = " (positions count with header: false)" if str(column).isdigit() else ""
            raise UserError(
                f"{path}, line {line}: the header has the column {column} {times}{count}; "
                f"its columns are {', '.join(header)[:200]}."
            )
    return {name: header.index(str(column)) for name, column in columns.items()}


def check_width(table: Table, path: str, width: int, needed: int) -> None:
    """Raises UserError when lines have fewer columns than the description counts on."""
    if width < needed:
        columns = "one column" if width == 1 else f"{width} columns"
        raise UserError(
            f"{path}: its lines have {columns} where the description needs {needed}: "
            f"is {table.separator!r} the right separator?"
        )


def split_line(table: Table, line: str) -> list[str]:
    """The trimmed cells of one line."""
    if not table.quoting:
        return [cell.strip() for cell in line.split(table.separator)]
    cells = next(csv.reader([line], delimiter=table.separator, skipinitialspace=True), [])
    return [cell.strip() for cell in cells]


def _header(table: Table, path: str, head: bytes, start: int) -> tuple[list[str], int, int]:
    lines = 0
    raw = b""
    while not raw.strip():
        raw = head[start:].split(b"\n", 1)[0] + b"\n"
        start = min(start + len(raw), len(head))
        lines += 1
    line = raw.decode(table.encoding, errors="replace").rstrip("\r\n")
    header = split_line(table, line)
    if len(header) == 1:
        others = [mark for mark in _SEPARATORS if len(line.split(mark)) > 2]
        hint = f"; {others[0]!r} looks like it" if others else ""
        raise UserError(
            f"{path}, line {lines}: the header is one column when split at "
            f"{table.separator!r}: set the right separator{hint}."
        )
    return header, start, lines


def _usual_width(table: Ratings, path: str, head: bytes) -> int:
    """The number of columns of most of the first lines, so that one broken line is no matter."""
    text = head.decode(table.encoding, errors="replace")
    lines = text.split("\n")
    if len(head) >= HEAD_BYTES - len(codecs.BOM_UTF8):
        lines = lines[:-1]
    lines = [line for line in lines if line.strip()][:1000]
    if table.blocks:
        if not lines[0].rstrip().endswith(":"):
            raise UserError(f"{path}, line 1: a movie's line such as `1:` has to come first.")
        lines = [line for line in lines if not line.rstrip().endswith(":")]
    widths = Counter(len(split_line(table, line)) for line in lines)
    if not widths:
        return max(int(column) for column in table.used_columns().values())
    return widths.most_common(1)[0][0]
