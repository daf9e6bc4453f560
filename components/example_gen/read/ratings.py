"""Reads ratings files in ranges into Arrow batches, counting what it drops."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read import blocks, files, json_lines, parquet
from components.example_gen.read.layout import Layout
from components.example_gen.read.places import line_text, row_text
from components.example_gen.read.problems import (
    SAMPLES_PER_REASON,
    UNDECODABLE_TEXT,
    Problems,
    Sample,
)
from components.example_gen.read.ranges import Range, records, to_order
from components.example_gen.read.rows import Cells, Columns, Dropped, RowReader
from schemas.errors import UserError
from schemas.source import Source
from schemas.source_parts import EventNumber

_TYPES: dict[str, pa.DataType] = {
    "user_id": pa.string(),
    "movie_id": pa.string(),
    "rating": pa.float32(),
    "timestamp": pa.int64(),
    "order": pa.int64(),
}
SCHEMA = pa.schema(_TYPES)  # of a source whose ratings have no features
_Movies = tuple[pa.Array | None, pa.Array | None]  # known and lost


def schema_of(source: Source) -> pa.Schema:
    """The columns of what is read: those of `SCHEMA`, and the ratings' own features."""
    kinds = {
        name: pa.float32() if isinstance(part, EventNumber) else pa.string()
        for name, part in source.ratings.features.items()
    }
    return pa.schema(_TYPES | kinds)


class _Part(NamedTuple):
    """What was read at once: the good rows, what was dropped by line, and where each line is.

    places: of all lines, the file's byte (in Parquet: row) of each. text: of a line, for a sample.
    """

    columns: Columns
    kept: blocks.Int64s
    dropped: Dropped
    places: blocks.Int64s
    text: Callable[[int], str]


@dataclass
class RatingBatch:
    """Some lines of a range: the good rows (of `schema_of`), what was dropped, and how many lines.

    `order` is made of the file's index and the byte where the line starts, so it grows over all
    files and does not depend on the ranges. `timestamp` is in microseconds; it and `rating` are
    null throughout where the source has none, and `rating` is NaN where a movie was seen, not
    rated. Samples in `problems` count lines from 1 at the start of the range.
    """

    rows: pa.RecordBatch
    problems: Problems
    lines: int


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
    schema = schema_of(source)
    yield RatingBatch(pa.RecordBatch.from_pylist([], schema=schema), Problems(), lines)
    try:
        for part in _parts(source, rng, (known_movies, lost_movies)):
            order = to_order(rng.file_index, part.places[part.kept])
            columns = part.columns | {"order": pa.array(order, pa.int64())}
            rows = pa.RecordBatch.from_arrays([columns[n] for n in schema.names], schema=schema)
            yield RatingBatch(rows, _problems(rng, part, lines), len(part.places))
            lines += len(part.places)
    except UserError as fault:  # a worker's exception would be retried, and end in a traceback
        nothing = pa.RecordBatch.from_pylist([], schema=schema)
        yield RatingBatch(nothing, Problems(faults=[str(fault)]), 0)


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
    for piece, starts, block in records(table, pieces, layout):
        if table.blocks:
            block, movie = blocks.split_movies(block, table, movie)
        columns, kept, dropped = reader.read(block)
        yield _Part(columns, kept, dropped, piece.start + starts, _line_of(piece, starts))


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
        yield _Part(columns, kept, dropped, places, partial(row_text, cells))


def _judge(
    reader: RowReader, cells: Cells, lines: blocks.Int64s
) -> tuple[Columns, blocks.Int64s, Dropped]:
    """As `RowReader.judge`, for cells of which each may be no text."""
    good = np.ones(len(lines), bool)
    for cell in cells.values():
        good &= ~pc.match_substring(cell, blocks.NO_TEXT).to_numpy(zero_copy_only=False)
    cells = {name: cell.filter(pa.array(good)) for name, cell in cells.items()}
    columns, kept, dropped = reader.judge(cells, lines[good])
    return columns, kept, [(UNDECODABLE_TEXT, lines[~good]), *dropped]


def _line_of(piece: files.Piece, starts: blocks.Int64s) -> Callable[[int], str]:
    return lambda line: line_text(piece.data, int(starts[line]))


def _problems(rng: Range, part: _Part, lines_before: int) -> Problems:
    problems = Problems()
    for reason, lines in part.dropped:
        if not len(lines):
            continue
        samples = []
        for line in lines[:SAMPLES_PER_REASON].tolist():
            number = lines_before + line + 1
            samples.append(Sample(reason, rng.path, number, part.text(line), rng.start))
        problems = problems.merge(Problems({reason: len(lines)}, samples))
    return problems
