"""Finds where a file's data begin and where its columns stand, before the reading begins."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.example_gen.read.files import HEAD_BYTES, read_head
from schemas.errors import UserError
from schemas.source_parts import Column
from schemas.source_tables import Ratings, Table

if TYPE_CHECKING:
    from _csv import Reader

_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\x1c\x1d\x1e\x1f"))
_MAGIC = {b"PK\x03\x04": ".zip", b"PAR1": ".parquet"}
_SEPARATORS = (",", ";", "\t", "|", "::")


class EmptyFile(UserError):  # noqa: N818 (it may be none)
    """A file holds no rows, which is no fault where other files do."""


@dataclass(frozen=True)
class Layout:
    """What the start of a text file says: the same for all of its ranges.

    `data_start` is the byte after the header (or byte-order mark), `header_lines` how many lines
    that is, `width` the number of columns, `positions` where ours are, counted from 0;
    `multiline` says whether a quoted cell may hold line ends.
    """

    data_start: int
    header_lines: int
    width: int
    positions: tuple[tuple[str, int], ...]
    multiline: bool = False


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
            raise EmptyFile(f"{path} has a header but no rows.")
        width = len(header)
        positions = locate(table.used_columns(), header, path, lines)
    else:
        width = _usual_width(table, path, head[start:])
        positions = {name: int(column) - 1 for name, column in table.used_columns().items()}
        check_width(table, path, width, max(positions.values()) + 1)
    return Layout(start, lines, width, tuple(positions.items()), _is_multiline(table, width))


def check_text(path: str, head: bytes) -> None:
    """Raises UserError unless the start of a file looks like lines of text."""
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise EmptyFile(f"{path} is empty.")
    if head.startswith(_BYTE_ORDER_MARKS):
        raise UserError(f"{path} is UTF-16 text: convert it to UTF-8 first.")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > 8 and controls * 50 > len(head):
        end = next((end for magic, end in _MAGIC.items() if head.startswith(magic)), ".gz")
        what = "Parquet" if end == ".parquet" else "packed"
        raise UserError(
            f"{path} is not a text file (if it is {what}, its name has to end in {end})."
        )
    if b"\n" not in head and b"\r" in head.rstrip():
        raise UserError(f"{path} has bare carriage returns for line ends: convert them first.")
    if b"\n" not in head and len(head) == HEAD_BYTES:
        raise UserError(f"{path} is not a text file of short lines: the first one never ends.")


def named_columns(table: Table, path: str) -> dict[str, str]:
    """The file's columns by our names, in a format that names its columns itself.

    Raises:
      UserError: the description gives their positions.
    """
    if not table.header:
        raise UserError(f"{path} names its columns: give names, not positions, and header: true.")
    return {name: str(column) for name, column in table.used_columns().items()}


def locate(
    columns: Mapping[str, Column], header: list[str], path: str, line: int | None = None
) -> dict[str, int]:
    """Where the named columns stand in the header, counted from 0.

    Args:
      columns: as the file calls them, by our names.
      header: all that the file has.
      path: the file.
      line: of the header, where that is a line.

    Raises:
      UserError: a column is not there, or there twice.
    """
    place = f"{path}, line {line}: the header" if line else f"{path}"
    for column in columns.values():
        if header.count(str(column)) != 1:
            times = "twice" if str(column) in header else "nowhere"
            count = " (positions count with header: false)" if str(column).isdigit() else ""
            raise UserError(
                f"{place} has the column {column} {times}{count}; "
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
    cells = next(csv_reader(table, [line], strict=False), [])
    return [cell.strip() for cell in cells]


def csv_reader(table: Table, lines: Iterable[str], strict: bool) -> "Reader":
    """Python's reader of the table's lines."""
    return csv.reader(
        lines,
        delimiter=table.separator,
        escapechar=table.escape,
        skipinitialspace=True,
        strict=strict,
    )


def _is_multiline(table: Ratings, width: int) -> bool:
    """Whether quoted cells may hold line ends: not in ids and numbers, which have none."""
    if table.multiline is None:
        return table.quoting and not table.blocks and width > len(table.used_columns())
    return table.multiline and table.quoting


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
        if line.lstrip().startswith("{"):
            raise UserError(
                f"{path}, line {lines}: this looks like JSON lines: name the file .jsonl, or set "
                "format: jsonl."
            )
        others = [mark for mark in _SEPARATORS if len(line.split(mark)) > 2]
        hint = f"; {others[0]!r} looks like it" if others else ""
        raise UserError(
            f"{path}, line {lines}: the header is one column when split at "
            f"{table.separator!r}: set the right separator{hint}."
        )
    return header, start, lines


def _usual_width(table: Ratings, path: str, head: bytes) -> int:
    """The number of columns of most of the first lines, so that a broken one does not decide."""
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
