"""Reads ratings files in byte ranges into Arrow batches, counting what it drops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa

from components.example_gen import blocks, files
from components.example_gen.layout import Layout, plan_layout
from components.example_gen.problems import (
    SAMPLE_CHARACTERS,
    SAMPLES_PER_REASON,
    Problems,
    Sample,
)
from components.example_gen.rows import Dropped, RowReader
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
_NO_ROWS = pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in SCHEMA.types], schema=SCHEMA)
# Bits of `order` that hold the byte within a file: files up to 16 TiB, half a million of them.
_POSITION_BITS = 44


@dataclass(frozen=True)
class Range:
    """Whole lines of one file, from byte `start` up to `end`; a .gz file is one range."""

    path: str
    file_index: int
    start: int
    end: int
    layout: Layout


@dataclass
class RatingBatch:
    """Some lines of a range: the good rows (of `SCHEMA`), what was dropped, and how many lines.

    `order` is made of the file's index and the byte where the line starts, so it grows over all
    files and does not depend on the ranges. `timestamp` is in microseconds, null throughout
    where the source has none. Samples in `problems` count lines from 1 at the start of the range.
    """

    rows: pa.RecordBatch
    problems: Problems
    lines: int


def plan_ranges(source: Source, paths: Sequence[str], range_bytes: int = 16 << 20) -> list[Range]:
    """Cuts the files, in their order, into ranges of about `range_bytes`.

    Raises:
        UserError: a file is missing, empty, no text, or not in the source's format.
    """
    ranges = []
    for index, path in enumerate(paths):
        layout = plan_layout(source.ratings, path)
        cuts = _cuts(path, layout.data_start, range_bytes)
        ranges += [Range(path, index, start, end, layout) for start, end in pairwise(cuts)]
    return ranges


def read_range(
    source: Source, rng: Range, known_movies: pa.Array | None = None
) -> Iterator[RatingBatch]:
    """Streams the range in batches of about 2 MiB of text.

    Args:
        source: what the file holds.
        rng: one of `plan_ranges`.
        known_movies: ids (string); a rating of any other movie is dropped and counted.

    A file that cannot be read to its end raises nothing: the last batch's problems hold a fault.
    """
    reader = RowReader(source, rng.layout, known_movies)
    lines = 0 if rng.start else rng.layout.header_lines
    yield RatingBatch(_NO_ROWS, Problems(), lines)
    try:
        movie = blocks.movie_before(source.ratings, rng.path, rng.start, rng.layout)
        start = rng.start or rng.layout.data_start
        for piece in files.read_pieces(rng.path, start, rng.end):
            starts = blocks.line_starts(piece.data)
            block = blocks.whole(piece.data, source.ratings, len(starts))
            if source.ratings.blocks:
                block, movie = blocks.split_movies(block, source.ratings, movie)
            columns, kept, dropped = reader.read(block)
            order = (rng.file_index << _POSITION_BITS) + piece.start + starts[kept]
            columns["order"] = pa.array(order, pa.int64())
            rows = pa.RecordBatch.from_arrays([columns[n] for n in SCHEMA.names], schema=SCHEMA)
            yield RatingBatch(rows, _problems(rng, piece, dropped, starts, lines), len(starts))
            lines += len(starts)
    except UserError as fault:  # a worker's exception would be retried, and end in a traceback
        yield RatingBatch(_NO_ROWS, Problems(faults=[str(fault)]), 0)


def _cuts(path: str, data_start: int, range_bytes: int) -> list[int]:
    """Where ranges start, and the end of the file: lines start there, and the header is in one."""
    size = files.file_size(path)
    cuts = [0]
    target = max(range_bytes, data_start)
    while target < size and not files.is_gzip(path):
        cut = files.line_start_from(path, target)
        if cut < size and cut > data_start:
            cuts.append(cut)
        target = max(target + range_bytes, cut + 1)
    return [*cuts, size]


def _problems(
    rng: Range, piece: files.Piece, dropped: Dropped, starts: blocks.Int64s, lines_before: int
) -> Problems:
    problems = Problems()
    for reason, lines in dropped:
        if not len(lines):
            continue
        samples = []
        for line in lines[:SAMPLES_PER_REASON].tolist():
            raw = piece.data[starts[line] :][: 4 * SAMPLE_CHARACTERS].split(b"\n")[0]
            text = raw.decode(errors="replace").strip()[:SAMPLE_CHARACTERS]
            number = lines_before + line + 1
            samples.append(Sample(reason, rng.path, number, text, rng.start))
        problems = problems.merge(Problems({reason: len(lines)}, samples))
    return problems
