"""Shows people the rows of rating files: the number of their line, and its text as it is there."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from components.example_gen.read import parquet
from components.example_gen.read.files import read_pieces
from components.example_gen.read.problems import SAMPLE_CHARACTERS
from components.example_gen.read.ranges import Range
from schemas.source_tables import Ratings

_SAMPLE_BYTES = 4 * SAMPLE_CHARACTERS  # no character of UTF-8 is longer than four bytes


class Shown(NamedTuple):
    """A row as a person finds it: its line (in Parquet: row) in the file, from 1, and its text."""

    line: int
    text: str


def line_text(data: bytes, start: int) -> str:
    """The line that starts at this byte, cut to the length of a sample."""
    line = data[start : start + _SAMPLE_BYTES].split(b"\n")[0]
    return line.decode(errors="replace").strip()[:SAMPLE_CHARACTERS]


def row_text(cells: Mapping[str, pa.StringArray], row: int) -> str:
    """The cells of a row that has no line, cut to the length of a sample."""
    return ",".join(cell[row].as_py() for cell in cells.values()).strip()[:SAMPLE_CHARACTERS]


def rows_at(table: Ratings, file: Range, places: Sequence[int]) -> dict[int, Shown]:
    """Finds rows again by their places, reading the file up to the last of them.

    Args:
      table: what the file holds.
      file: any range of the file.
      places: bytes of the unpacked file where lines start; in Parquet, rows from 0.
    """
    if file.is_parquet:
        return _rows_of_parquet(table, file.path, places)
    return _lines(file.path, places)


def _lines(path: str, places: Sequence[int]) -> dict[int, Shown]:
    shown, before = {}, 0
    for start, data in read_pieces(path, 0, max(places) + _SAMPLE_BYTES):
        for place in places:
            if start <= place < start + len(data):
                line = before + data.count(b"\n", 0, place - start) + 1
                shown[place] = Shown(line, line_text(data, place - start))
        if len(shown) == len(places):
            break
        before += data.count(b"\n")
    return shown


def _rows_of_parquet(table: Ratings, path: str, places: Sequence[int]) -> dict[int, Shown]:
    shown = {}
    for start, cells in parquet.read(table, path):
        rows = len(next(iter(cells.values())))
        for place in places:
            if start <= place < start + rows:
                shown[place] = Shown(place + 1, row_text(cells, place - start))
        if len(shown) == len(places):
            break
    return shown
