"""Reads ratings files in ranges into Arrow batches, counting what it drops."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read import blocks, files, json_lines, parquet, quotes
from components.example_gen.read.formats import format_of
from components.example_gen.read.layout import EmptyFile, Layout, plan_layout
from components.example_gen.read.problems import (
    SAMPLE_CHARACTERS,
    SAMPLES_PER_REASON,
    UNDECODABLE_TEXT,
    Problems,
    Sample,
)
from components.example_gen.read.rows import Cells, Dropped, RowReader
from schemas.errors import UserError
from schemas.source import Source

SCHEMA = pa.schema(
    {
        "user_id": pa.string(),
        "movie_id": pa.string(),
        "rating": pa.float32(),
        "timestamp": pa.int64(),
        "order": pa.int64(),
    }
)
_Movies = tuple[pa.Array | None, pa.Array | None]  # known and lost
_NO_ROWS = pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in SCHEMA.types], schema=SCHEMA)
# Bits of `order` that hold the place within a file: files up to 16 TiB, half a million of them.
_POSITION_BITS = 44


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


class _Part(NamedTuple):
    """What was read at once: the good rows, what was dropped by line, and where each line is.

    places: of all lines, the file's byte (in Parquet: row) of each. text: of a line, for a sample.
    """

    columns: Cells
    kept: blocks.Int64s
    dropped: Dropped
    places: blocks.Int64s
    text: Callable[[int], str]


@dataclass
class RatingBatch:
    """Some lines of a range: the good rows (of `SCHEMA`), what was dropped, and how many lines.

    `order` is made of the file's index and the byte where the line starts, so it grows over all
    files and does not depend on the ranges. `timestamp` is in microseconds; it and `rating` are
    null throughout where the source has none, and `rating` is NaN where a movie was seen, not
    rated. Samples in `problems` count lines from 1 at the start of the range.
    """

    rows: pa.RecordBatch
    problems: Problems
    lines: int


def plan_ranges(source: Source, paths: Sequence[str], range_bytes: int = 16 << 20) -> list[Range]:
    """Cuts the files that have rows, in their order, into ranges of about `range_bytes`.

    Raises:
      UserError: a file is missing, no text, or not in the source's format, or all are empty.
    """
    ranges: list[Range] = []
    empty, index = None, 0
    for path in paths:
        try:
            ranges += _plan_file(source, path, index, range_bytes)
            index += 1
        except EmptyFile as error:
            empty = empty or error
    if empty and not ranges:
        raise empty
    return ranges


def read_range(
    source: Source,
    rng: Range,
    known_movies: pa.Array | None = None,
    lost_movies: pa.Array | None = None,
) -> Iterator[RatingBatch]:
    """Streams the range in batches of about 2 MiB of text.

    Args:
      source: what the file holds.
      rng: one of `plan_ranges`.
      known_movies: ids (string); a rating of any other movie is dropped and counted.
      lost_movies: ids (string) of movies whose rows were dropped, for a reason of their own.

    A file that cannot be read to its end raises nothing: the last batch's problems hold a fault.
    """
    lines = rng.layout.header_lines if rng.layout and not rng.start else 0
    yield RatingBatch(_NO_ROWS, Problems(), lines)
    try:
        for part in _parts(source, rng, (known_movies, lost_movies)):
            order = (rng.file_index << _POSITION_BITS) + part.places[part.kept]
            columns = part.columns | {"order": pa.array(order, pa.int64())}
            rows = pa.RecordBatch.from_arrays([columns[n] for n in SCHEMA.names], schema=SCHEMA)
            yield RatingBatch(rows, _problems(rng, part, lines), len(part.places))
            lines += len(part.places)
    except UserError as fault:  # a worker's exception would be retried, and end in a traceback
        yield RatingBatch(_NO_ROWS, Problems(faults=[str(fault)]), 0)


def _plan_file(source: Source, path: str, index: int, range_bytes: int) -> list[Range]:
    table, kind = source.ratings, format_of(source.ratings, path)
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
        cuts = _record_cuts(source, path, layout, range_bytes)
    else:
        cuts = _cuts(path, layout.data_start, range_bytes)
    return [Range(path, index, start, end, layout) for start, end in pairwise(cuts)]


def _parts(source: Source, rng: Range, movies: _Movies) -> Iterator[_Part]:
    if rng.layout:
        return _text_parts(source, rng, rng.layout, movies)
    names = list(source.ratings.used_columns())
    layout = Layout(0, 0, len(names), tuple((name, at) for at, name in enumerate(names)))
    if rng.form:
        return _json_parts(source, rng, rng.form, RowReader(source, layout, *movies))
    if rng.typed_times:
        ratings = source.ratings.model_copy(update={"timestamp": "microseconds"})
        source = source.model_copy(update={"ratings": ratings})
    return _parquet_parts(source, rng, RowReader(source, layout, *movies))


def _text_parts(source: Source, rng: Range, layout: Layout, movies: _Movies) -> Iterator[_Part]:
    reader, table = RowReader(source, layout, *movies), source.ratings
    movie = blocks.movie_before(table, rng.path, rng.start, layout)
    pieces = files.read_pieces(rng.path, rng.start or layout.data_start, rng.end)
    for piece, starts, block in _blocks(source, pieces, layout):
        if table.blocks:
            block, movie = blocks.split_movies(block, table, movie)
        columns, kept, dropped = reader.read(block)
        yield _Part(columns, kept, dropped, piece.start + starts, _line_of(piece, starts))


def _blocks(
    source: Source, pieces: Iterator[files.Piece], layout: Layout
) -> Iterator[tuple[files.Piece, blocks.Int64s, blocks.Block]]:
    """Pieces of a file, where each of their lines starts, and the records of them."""
    if layout.multiline:
        ours = [place for _, place in layout.positions]
        for piece, block in quotes.joined(pieces, source.ratings, layout.width, ours):
            yield piece, blocks.line_starts(piece.data), block
        return
    for piece in pieces:
        starts = blocks.line_starts(piece.data)
        yield piece, starts, blocks.whole(piece.data, source.ratings, len(starts))


def _json_parts(
    source: Source, rng: Range, form: json_lines.Form, reader: RowReader
) -> Iterator[_Part]:
    for piece in files.read_pieces(rng.path, rng.start or form.data_start, rng.end):
        starts = blocks.line_starts(piece.data)
        text = blocks.to_utf8(blocks.ended(piece.data), source.ratings.encoding)
        cells, lines, unread = json_lines.read(text, form)
        columns, kept, dropped = _judge(reader, cells, lines)
        places, line_of = piece.start + starts, _line_of(piece, starts)
        yield _Part(columns, kept, [*unread, *dropped], places, line_of)


def _parquet_parts(source: Source, rng: Range, reader: RowReader) -> Iterator[_Part]:
    for start, cells in parquet.read(source.ratings, rng.path, rng.start, rng.end, "timestamp"):
        places = start + np.arange(len(cells["user_id"]))
        columns, kept, dropped = _judge(reader, cells, np.arange(len(places)))
        yield _Part(columns, kept, dropped, places, _row_of(cells))


def _judge(
    reader: RowReader, cells: Cells, lines: blocks.Int64s
) -> tuple[Cells, blocks.Int64s, Dropped]:
    """As `RowReader.judge`, for cells of which each may be no text."""
    good = np.ones(len(lines), bool)
    for cell in cells.values():
        good &= ~pc.match_substring(cell, blocks.NO_TEXT).to_numpy(zero_copy_only=False)
    cells = {name: cell.filter(pa.array(good)) for name, cell in cells.items()}
    columns, kept, dropped = reader.judge(cells, lines[good])
    return columns, kept, [(UNDECODABLE_TEXT, lines[~good]), *dropped]


def _cuts(path: str, data_start: int, range_bytes: int) -> list[int]:
    """Where ranges start, and the end of the file: lines start there, and the header is in one."""
    size = files.file_size(path)
    cuts = [0]
    target = max(range_bytes, data_start)
    while target < size and not files.packing(path):
        cut = files.line_start_from(path, target)
        if cut < size and cut > data_start:
            cuts.append(cut)
        target = max(target + range_bytes, cut + 1)
    return [*cuts, size]


def _record_cuts(source: Source, path: str, layout: Layout, range_bytes: int) -> list[int]:
    """As `_cuts` where a line may be inside a cell: only reading from the start tells which."""
    size = files.file_size(path)
    cuts = [0]
    if size > range_bytes and not files.packing(path):
        at_once = min(range_bytes, files.PIECE_BYTES)
        pieces = files.read_pieces(path, layout.data_start, size, at_once)
        for piece, _, _ in _blocks(source, pieces, layout):
            if piece.start - cuts[-1] >= range_bytes:
                cuts.append(piece.start)
    return [*cuts, size]


def _line_of(piece: files.Piece, starts: blocks.Int64s) -> Callable[[int], str]:
    def text(line: int) -> str:
        raw = piece.data[starts[line] :][: 4 * SAMPLE_CHARACTERS].split(b"\n")[0]
        return raw.decode(errors="replace")

    return text


def _row_of(cells: Mapping[str, pa.StringArray]) -> Callable[[int], str]:
    return lambda row: ",".join(cell[row].as_py() for cell in cells.values())


def _problems(rng: Range, part: _Part, lines_before: int) -> Problems:
    problems = Problems()
    for reason, lines in part.dropped:
        if not len(lines):
            continue
        samples = []
        for line in lines[:SAMPLES_PER_REASON].tolist():
            text = part.text(line).strip()[:SAMPLE_CHARACTERS]
            samples.append(Sample(reason, rng.path, lines_before + line + 1, text, rng.start))
        problems = problems.merge(Problems({reason: len(lines)}, samples))
    return problems
