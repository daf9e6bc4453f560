"""Cuts rating files into ranges that workers read apart, and numbers the places in all files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from components.example_gen.read import blocks, files, json_lines, parquet, quotes
from components.example_gen.read.formats import format_of
from components.example_gen.read.layout import EmptyFile, Layout, plan_layout
from components.example_gen.read.packed import packing
from schemas.source import Source
from schemas.source_tables import Ratings

# Bits of `order` that hold the place within a file: files up to 16 TiB, half a million of them.
_PLACE_BITS = 44


@dataclass(frozen=True)
class Range:
    """Some of one file: whole lines from byte `start` up to `end`, or in Parquet rows.

    What is packed is one range. `layout` is of CSV, `form` of JSON lines; the times of a Parquet
    file whose type says what they are need no format: `typed_times`.
    """

    path: str
    file_index: int
    start: int
    end: int
    layout: Layout | None = None
    form: json_lines.Form | None = None
    typed_times: bool = False

    @property
    def is_parquet(self) -> bool:
        """Whether places in the file are numbers of rows."""
        return self.layout is None and self.form is None


def to_order(file_index: int, places: blocks.Int64s) -> blocks.Int64s:
    """Numbers that grow over all files and, in a file, with the place: a byte, in Parquet a row.

    They do not depend on the ranges. [n] -> [n].
    """
    return (file_index << _PLACE_BITS) + places


def from_order(order: int) -> tuple[int, int]:
    """The index of the file and the place in it that `to_order` made the number of."""
    return order >> _PLACE_BITS, order & ((1 << _PLACE_BITS) - 1)


def plan_ranges(source: Source, paths: Sequence[str], range_bytes: int = 16 << 20) -> list[Range]:
    """Cuts the files that have rows, in their order, into ranges of about `range_bytes`.

    Raises:
      UserError: a file is missing, no text, or not in the source's format, or all are empty.
    """
    ranges: list[Range] = []
    empty, index = None, 0
    for path in paths:
        try:
            ranges += _plan_file(source.ratings, path, index, range_bytes)
            index += 1
        except EmptyFile as error:
            empty = empty or error
    if empty and not ranges:
        raise empty
    return ranges


def records(
    table: Ratings, pieces: Iterator[files.Piece], layout: Layout
) -> Iterator[tuple[files.Piece, blocks.Int64s, blocks.Block]]:
    """Pieces of a text file, where each of their lines starts, and the records in them."""
    if layout.multiline:
        ours = [place for _, place in layout.positions]
        for piece, block in quotes.joined(pieces, table, layout.width, ours):
            yield piece, blocks.line_starts(piece.data), block
        return
    for piece in pieces:
        starts = blocks.line_starts(piece.data)
        yield piece, starts, blocks.as_block(piece.data, table, len(starts))


def _plan_file(table: Ratings, path: str, index: int, range_bytes: int) -> list[Range]:
    kind = format_of(table, path)
    if kind == "parquet":
        plan = parquet.plan(table, path, range_bytes)
        typed = "timestamp" in plan.moments
        return [Range(path, index, a, b, typed_times=typed) for a, b in pairwise(plan.cuts)]
    if kind == "jsonl":
        form = json_lines.plan(table, path)
        cuts = _cuts(path, form.data_start, range_bytes)
        return [Range(path, index, start, end, form=form) for start, end in pairwise(cuts)]
    layout = plan_layout(table, path)
    if layout.multiline:
        cuts = _record_cuts(table, path, layout, range_bytes)
    else:
        cuts = _cuts(path, layout.data_start, range_bytes)
    return [Range(path, index, start, end, layout) for start, end in pairwise(cuts)]


def _cuts(path: str, data_start: int, range_bytes: int) -> list[int]:
    """Where ranges start, and the end of the file: lines start there, and the header is in one."""
    size = files.file_size(path)
    cuts = [0]
    target = max(range_bytes, data_start)
    while target < size and not packing(path):
        cut = files.line_start_from(path, target)
        if cut < size and cut > data_start:
            cuts.append(cut)
        target = max(target + range_bytes, cut + 1)
    return [*cuts, size]


def _record_cuts(table: Ratings, path: str, layout: Layout, range_bytes: int) -> list[int]:
    """As `_cuts` where a line may be inside a cell: only reading from the start tells which."""
    size = files.file_size(path)
    cuts = [0]
    if size > range_bytes and not packing(path):
        at_once = min(range_bytes, files.PIECE_BYTES)
        pieces = files.read_pieces(path, layout.data_start, size, at_once)
        for piece, _, _ in records(table, pieces, layout):
            if piece.start - cuts[-1] >= range_bytes:
                cuts.append(piece.start)
    return [*cuts, size]
