"""Puts the lines of a record together whose quoted cells hold line ends.

An unpaired quote would take the rows below it into its cell. So a record counts as one only if its
quotes close where a cell ends, in the right number of cells, and no rows seem to be inside; else
the line that opened the quote is left alone, as a line that is no row.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from components.example_gen.read.blocks import Block, as_block, as_lines, delimiter, line_starts
from components.example_gen.read.files import LONGEST_LINE, Piece
from schemas.source_tables import Table

MOST_LINES = 1000  # of one record
_LINE_END = r"\n"
_ROWS_INSIDE = 1  # lines of one cell that may read as rows of the file
_NUMBER = re.compile(rb"[0-9]+(?:\.[0-9]+)?")
Int64s = npt.NDArray[np.int64]


def row_pattern(table: Table, width: int) -> str:
    """What a line looks like that is one row of `width` cells."""
    cell, mark = _cell(table), re.escape(delimiter(table))
    return rf"^{cell}(?:{mark}{cell}){{{width - 1}}}\n$"


def joined(
    pieces: Iterable[Piece], table: Table, width: int, ours: Sequence[int]
) -> Iterator[tuple[Piece, Block]]:
    """Cuts a file's pieces at the ends of records, each of which is then one line.

    Args:
      pieces: of a file, from where a record starts.
      table: what the file holds.
      width: the number of its columns.
      ours: which columns, counted from 0, hold ids, numbers and times: what tells a row.

    Yields:
      Pieces with the blocks of their records, in which a space stands for a line end in a cell.
    """
    joiner = _Joiner(table, width, ours)
    pending = Piece(0, b"")
    for piece in chain(pieces, [None]):
        if piece is None and not pending.data:
            return
        last = piece is None
        if piece is not None:
            pending = Piece(
                pending.start if pending.data else piece.start, pending.data + piece.data
            )
        starts = line_starts(pending.data)
        block, taken = joiner.join(as_block(pending.data, table, len(starts)), last)
        cut = int(starts[taken]) if taken < len(starts) else len(pending.data)
        if taken:
            yield Piece(pending.start, pending.data[:cut]), block
        pending = Piece(pending.start + cut, pending.data[cut:])


def is_open(table: Table, line: str) -> bool:
    """Whether the line ends within a quoted cell."""
    return re.match(_opening(table), line) is not None


class _Joiner:
    """Joins the records of one file; see `joined`."""

    def __init__(self, table: Table, width: int, ours: Sequence[int]) -> None:
        cell, mark = _cell(table), re.escape(delimiter(table))
        self._opens = _opening(table)
        columns = _columns(cell, width, ours)
        self._row = re.compile(f"{mark.join(columns)}\n".encode())
        strict = _columns(_strict_cell(table), width, ours)
        self._record = re.compile(f"{mark.join(strict)}\r?\n".encode())

    def join(self, block: Block, last: bool) -> tuple[Block, int]:
        """The block's records a line each, and how many of its lines they are.

        The others are for later: the record that they begin may end beyond the block.
        """
        lines = as_lines(block.text)
        # Most files hold no quote that is open at the end of a line.
        if b'"' not in block.text:
            return block, len(lines)
        opens = np.flatnonzero(
            pc.match_substring_regex(lines, self._opens).to_numpy(zero_copy_only=False)
        )
        if not len(opens):
            return block, len(lines)
        starts = np.append(line_starts(block.text), len(block.text))
        inside = np.zeros(len(lines), bool)  # whether a line goes on with the record above it
        taken = after = 0
        for line in opens.tolist():
            if line < after:
                continue
            end = self._end(block.text, starts, line)
            if end is None and not last and self._may_go_on(starts, line):
                taken = line
                break
            if end is not None:
                inside[line + 1 : end] = True
                after = end
        else:
            taken = len(lines)
        return _without_ends(block, starts, inside, taken), taken

    def _end(self, text: bytes, starts: Int64s, line: int) -> int | None:
        """The line after the record that starts in a line, or none where that is no record."""
        most = min(line + MOST_LINES, len(starts) - 1)
        record = self._record.match(
            text, starts[line], min(starts[most], starts[line] + LONGEST_LINE)
        )
        if not record:
            return None
        end = int(np.searchsorted(starts, record.end()))
        allowed = 0 if any(b"\n" in cell for cell in record.groups()) else _ROWS_INSIDE
        if end - line - 1 <= allowed:
            return end
        lines = (text[starts[at] : starts[at + 1]] for at in range(line + 1, end))
        like = _outline(record.groups())
        rows = [row for row in map(self._row.fullmatch, lines) if row]
        return end if sum(_outline(row.groups()) == like for row in rows) <= allowed else None

    def _may_go_on(self, starts: Int64s, line: int) -> bool:
        short = starts[-1] - starts[line] < LONGEST_LINE
        return bool(short and len(starts) - 1 - line < MOST_LINES)


def _without_ends(block: Block, starts: Int64s, inside: npt.NDArray[np.bool_], taken: int) -> Block:
    """The block's first lines, each line that is inside a record joined to the one above."""
    text = np.frombuffer(block.text[: starts[taken]], np.uint8).copy()
    ends = starts[:taken][inside[:taken]] - 1
    text[ends] = ord(" ")
    crlf = ends[(ends > 0) & (text[ends - 1] == ord("\r"))] - 1
    text[crlf] = ord(" ")
    return replace(block, text=text.tobytes(), lines=block.lines[:taken][~inside[:taken]])


def _cell(table: Table) -> str:
    """A cell within a line, read as Arrow reads it: behind a closing quote anything may stand."""
    mark, escape = re.escape(delimiter(table)), re.escape(table.escape or "")
    if not table.quoting:
        return rf"[^{mark}\n]*"
    bare, first = rf"[^{mark}{escape}\n]", rf'[^"{mark}{escape}\n]'
    if escape:
        bare, first = (rf"(?:{one}|{escape}[^\n])" for one in (bare, first))
    return rf'(?:"{_quoted(table, but=_LINE_END)}"(?:{first}{bare}*)?|{first}{bare}*|)'


def _opening(table: Table) -> str:
    """A line that ends within a quoted cell."""
    cell, mark = _cell(table), re.escape(delimiter(table))
    return rf'^(?:{cell}{mark})* *"{_quoted(table, but=_LINE_END)}\n$'


def _strict_cell(table: Table) -> str:
    """A cell that may hold line ends; behind a closing quote nothing stands.

    Anything there could be the text of the next cell, and the quote that cell's opening one.
    """
    mark, escape = re.escape(delimiter(table)), re.escape(table.escape or "")
    bare = rf"(?:[^{mark}{escape}\n]|{escape}[^\n])*" if escape else rf"[^{mark}\n]*"
    return rf'(?: *"{_quoted(table)}"(?=[{mark}\r\n])|(?! *"){bare})'


def _columns(cell: str, width: int, ours: Sequence[int]) -> list[str]:
    """The pattern of each column, ours as groups."""
    return [f"({cell})" if place in ours else cell for place in range(width)]


def _outline(cells: Sequence[bytes]) -> list[bytes]:
    """What cells of one column have in common: their numbers' places, and what is around them."""
    return [_NUMBER.sub(b"0", cell.strip(b' "\t')) for cell in cells if _NUMBER.search(cell)]


def _quoted(table: Table, but: str = "") -> str:
    """What stands between quotes, without the characters of `but`."""
    if not table.escape:
        return rf'[^"{but}]*(?:""[^"{but}]*)*'
    escape, escaped = re.escape(table.escape), rf"[^{but}]" if but else r"[\s\S]"
    free = rf'[^"{escape}{but}]*'
    return rf'{free}(?:(?:""|{escape}{escaped}){free})*'
