"""Parses blocks of lines into rating rows: quickly when all is well, else with care."""

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from components.example_gen.read import event_cells, rating_cells
from components.example_gen.read import problems as reasons
from components.example_gen.read.blocks import Block, Int64s, as_lines, delimiter, select
from components.example_gen.read.layout import Layout
from components.example_gen.read.null_ids import NullIds
from components.example_gen.read.quotes import row_pattern
from components.example_gen.read.times import misread, moments
from components.example_gen.read.values import trim
from schemas.source import Source

# On Python 3.10 Arrow searches the whole heap after each look for signal handlers: 40 ms a call in
# a process as large as TensorFlow's. Without the look there is nothing to search for.
pa.enable_signal_handlers(False)
pa.lib.have_signal_refcycle = False

Cells = dict[str, pa.StringArray]
Columns = dict[str, pa.Array]
Dropped = list[tuple[str, Int64s]]


class RowReader:
    """Reads blocks of one file.

    Args:
      source: what the file holds.
      layout: where its columns are.
      known_movies: ids (string) that a rating may name, or None for any.
      lost_movies: ids (string) that it may not, as the movies' own rows were dropped.
    """

    def __init__(
        self,
        source: Source,
        layout: Layout,
        known_movies: pa.Array | None,
        lost_movies: pa.Array | None = None,
    ) -> None:
        self._table = source.ratings
        self._scale = [pa.scalar(bound, pa.float32()) for bound in source.scale or ()]
        self._known, self._lost = known_movies, lost_movies
        self._nulls = pa.array(source.ratings.nulls, pa.string())
        self._null_ids = NullIds(source)
        self._mark = delimiter(self._table)
        self._positions = dict(layout.positions)
        self._names = [str(place) for place in range(layout.width)]
        self._line = row_pattern(self._table, layout.width)

    def read(self, block: Block) -> tuple[Columns, Int64s, Dropped]:
        """Reads the block's lines.

        Returns:
          The good rows' columns user_id, movie_id, rating, timestamp and features; the line of
          each of them (int64); and the dropped lines by reason.
        """
        dropped: Dropped = []
        cells = None if _has_no_text(block.text) else self._parse(block)
        if cells is None:
            block, dropped = self._sift(block)
            cells = self._parse(block)
        if cells is None:
            raise AssertionError("a line that has the pattern of a row parses as one row")
        columns, kept, faulty = self.judge(cells, block.lines)
        return columns, kept, [*dropped, *faulty]

    def judge(self, cells: Cells, lines: Int64s) -> tuple[Columns, Int64s, Dropped]:
        """Tells good rows from others by their cells; as `read`, for rows of any format."""
        dropped: Dropped = []
        columns = self._convert(cells)
        good = np.ones(len(lines), bool)
        for reason, mask in self._faults(cells, columns):
            bad = good & mask.to_numpy(zero_copy_only=False)
            dropped.append((reason, lines[bad]))
            good &= ~bad
        if not good.all():
            keep = pa.array(good)
            columns = {name: column.filter(keep) for name, column in columns.items()}
        return columns, lines[good], dropped

    def _parse(self, block: Block) -> Cells | None:
        """The trimmed cells of our columns; None if any line is not exactly one row."""
        if not len(block.lines):
            empty = pa.array([], pa.string())
            return dict.fromkeys([*self._positions, "movie_id"], empty)
        if self._ends_open(block.text):
            return None
        try:
            parsed = self._read_csv(block.text)
        except pa.ArrowInvalid:
            return None
        if len(parsed) != len(block.lines):
            return None
        cells: Cells = {}
        for name, place in self._positions.items():
            cells[name] = trim(parsed[str(place)].combine_chunks(), self._table.quoting)
        return cells if block.movies is None else cells | {"movie_id": block.movies}

    def _ends_open(self, text: bytes) -> bool:
        """Whether the last line is no row by its quotes, which the parser would not mind there.

        Any other line's open quote costs a row or more, which shows.
        """
        last = text[text.rfind(b"\n", 0, -1) + 1 :]
        marks = ('"', self._table.escape or '"')
        return any(mark.encode() in last for mark in marks) and not re.match(
            self._line, last.decode()
        )

    def _read_csv(self, text: bytes) -> pa.Table:
        wanted = [str(place) for place in self._positions.values()]
        return pa.csv.read_csv(
            pa.py_buffer(text),  # type: ignore[arg-type]  # the stubs leave buffers out
            read_options=pa.csv.ReadOptions(
                use_threads=False, column_names=self._names, block_size=len(text) + 1
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=self._mark,
                quote_char='"' if self._table.quoting else False,
                escape_char=self._table.escape or False,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=list(dict.fromkeys(wanted)),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )

    def _sift(self, block: Block) -> tuple[Block, Dropped]:
        """Takes out what is not a row: blank lines in silence, the rest by its reason."""
        lines = as_lines(re.sub(rb"\r+\n", b"\n", block.text))
        blank = r"^\n$" if self._mark in " \t" else r"^[ \t]*\n$"
        is_blank = pc.match_substring_regex(lines, blank)
        no_text = pc.match_substring_regex(lines, r"[\x00\r]")
        is_row = pc.match_substring_regex(lines, self._line)
        wrong = pc.invert(pc.or_(pc.or_(is_blank, no_text), is_row))
        dropped = [
            (reason, block.lines[mask.to_numpy(zero_copy_only=False)])
            for reason, mask in (
                (reasons.UNDECODABLE_TEXT, no_text),
                (reasons.WRONG_COLUMN_COUNT, wrong),
            )
        ]
        keep = pc.and_(is_row, pc.invert(pc.or_(is_blank, no_text)))
        return select(block, keep, lines), dropped

    def _convert(self, cells: Cells) -> Columns:
        """Ids, rating (float32), timestamp (int64 microseconds): null where unreadable or none."""
        rows = len(cells["user_id"])
        rating: pa.Array = pa.nulls(rows, pa.float32())
        stamp: pa.Array = pa.nulls(rows, pa.int64())
        if "rating" in cells:
            rating = rating_cells.ratings(cells["rating"], self._table)
        if "timestamp" in cells:
            stamp = moments(cells["timestamp"], self._table.timestamp)
        ids: Columns = {name: cells[name] for name in ("user_id", "movie_id")}
        features = {
            name: event_cells.values(self._without_nulls(cells[name]), part, name)
            for name, part in self._table.features.items()
        }
        return ids | {"rating": rating, "timestamp": stamp} | features

    def _without_nulls(self, cells: pa.StringArray) -> pa.StringArray:
        """The cells, '' where they hold a word for nothing."""
        if not len(self._nulls):
            return cells
        return pc.if_else(pc.is_in(cells, value_set=self._nulls), "", cells)

    def _faults(self, cells: Cells, columns: Columns) -> Iterator[tuple[str, pa.BooleanArray]]:
        """Where each reason to drop a row holds; an earlier reason goes before a later one."""
        for name, cell in cells.items():
            if name in self._table.features:  # which may be unknown
                continue
            yield reasons.MISSING_FIELD, self._missing(name, cell, columns["rating"])
        for name in ("user_id", "movie_id"):
            words = self._null_ids.among(cells[name])
            if words is not None:
                yield reasons.NULL_ID, words
            long = pc.greater(pc.binary_length(cells[name]), reasons.LONGEST_ID)
            yield reasons.LONG_ID, long
        if "rating" in cells:
            yield from self._rating_faults(columns["rating"])
        if "timestamp" in cells:
            form, stamps = self._table.timestamp, columns["timestamp"]
            for other, where in misread(cells["timestamp"], form, stamps):
                yield reasons.misread_as(other), where
            yield reasons.UNREADABLE_TIMESTAMP, pc.is_null(stamps)
        if self._lost is not None and len(self._lost):
            yield reasons.DROPPED_MOVIE, pc.is_in(columns["movie_id"], value_set=self._lost)
        if self._known is not None:
            known = pc.is_in(columns["movie_id"], value_set=self._known)
            yield reasons.UNKNOWN_MOVIE, pc.invert(known)

    def _missing(self, name: str, cell: pa.StringArray, rating: pa.Array) -> pa.BooleanArray:
        missing = pc.equal(pc.binary_length(cell), 0)
        if len(self._nulls):
            missing = pc.or_(missing, pc.is_in(cell, value_set=self._nulls))
        if name == "rating":  # an empty cell may stand for 'seen, not rated'
            missing = pc.and_not(missing, pc.fill_null(pc.is_nan(rating), False))
        return missing

    def _rating_faults(self, rating: pa.Array) -> Iterator[tuple[str, pa.BooleanArray]]:
        yield rating_cells.unreadable(self._table), pc.is_null(rating)
        off = pc.or_(pc.less(rating, self._scale[0]), pc.greater(rating, self._scale[1]))
        yield reasons.OFF_SCALE, pc.fill_null(off, False)


def _has_no_text(text: bytes) -> bool:
    return b"\0" in text or (b"\r" in text and text.count(b"\r") != text.count(b"\r\n"))
