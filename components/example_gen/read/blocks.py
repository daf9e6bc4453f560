"""Turns the bytes of whole lines into clean UTF-8 text that a CSV parser can take."""

import codecs
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read.files import read_backwards
from components.example_gen.read.layout import Layout
from components.examples.arrow import value_starts
from schemas.source_tables import Ratings, Table

Int64s = npt.NDArray[np.int64]

# Stands for a separator that is longer than a byte, which the CSV parser could not take.
UNIT = "\x1f"
# Stands for bytes that are no text in the file's encoding: never in a good line.
NO_TEXT = "\x00"
NO_TEXT_HANDLER = "no_text"
codecs.register_error(NO_TEXT_HANDLER, lambda error: (NO_TEXT, error.end))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Block:
    """Lines of UTF-8 text, each with its line end.

    `lines` (int64) says which line of the piece each one is; `movies` which movie it is about, in
    block files.
    """

    text: bytes
    lines: Int64s
    movies: pa.StringArray | None = None


def delimiter(table: Table) -> str:
    """The one byte between cells in a Block's text."""
    return table.separator if len(table.separator.encode()) == 1 else UNIT


def line_starts(data: bytes) -> Int64s:
    """Where each line of `data` starts (int64), whether or not the last one has its line end."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    starts = np.concatenate([[0], ends])
    return starts if starts[-1] < len(data) else starts[:-1]


def decode(data: bytes, table: Table) -> bytes:
    """The same lines in UTF-8 with a separator of one byte; what is no text becomes NUL."""
    data = to_utf8(data, table.encoding)
    if len(table.separator.encode()) > 1:
        data = data.replace(UNIT.encode(), NO_TEXT.encode())
        data = data.replace(table.separator.encode(), UNIT.encode())
    return data


def to_utf8(data: bytes, encoding: str) -> bytes:
    """The same lines in UTF-8; what is no text becomes NUL."""
    return data if data.isascii() else data.decode(encoding, errors=NO_TEXT_HANDLER).encode()


def as_lines(text: bytes) -> pa.StringArray:
    """Each line with its line end, without copying the text."""
    offsets = np.append(line_starts(text), len(text)).astype(np.int32)
    buffers = pa.py_buffer(offsets.data), pa.py_buffer(text)
    return pa.StringArray.from_buffers(len(offsets) - 1, *buffers)


def as_text(lines: pa.StringArray) -> bytes:
    """The lines joined, the opposite of `as_lines`."""
    data = lines.buffers()[2]
    if data is None or not len(lines):
        return b""
    starts = value_starts(lines)
    return data.slice(starts[0], starts[-1] - starts[0]).to_pybytes()


def select(block: Block, keep: pa.BooleanArray, lines: pa.StringArray) -> Block:
    """The block with those of its `lines` where `keep` is true."""
    movies = None if block.movies is None else block.movies.filter(keep)
    chosen = block.lines[keep.to_numpy(zero_copy_only=False)]
    return Block(as_text(lines.filter(keep)), chosen, movies)


def split_movies(block: Block, table: Ratings, movie: str) -> tuple[Block, str]:
    """Takes the lines such as `123:` out: they name the movie of the lines below them.

    Args:
      block: any lines of a block file.
      table: its description.
      movie: what the lines before the first such line are about, '' if nobody knows.

    Returns:
      The other lines with their movies, and the movie that holds after the last line.
    """
    lines = as_lines(block.text)
    mark = re.escape(delimiter(table))
    heads = pc.match_substring_regex(lines, rf"^[^{mark}\n]*:\s*$")
    is_head = heads.to_numpy(zero_copy_only=False)
    named = pc.utf8_trim(
        pc.replace_substring_regex(lines.filter(heads), r":\s*$", ""), characters=" \t"
    )
    movies = pa.concat_arrays([pa.array([movie], pa.string()), named])
    per_line = movies.take(pa.array(np.cumsum(is_head)))
    told = Block(block.text, block.lines, per_line)
    return select(told, pc.invert(heads), lines), movies[-1].as_py()


def movie_before(table: Ratings, path: str, start: int, layout: Layout) -> str:
    """Which movie the lines at byte `start` are about, by reading backwards."""
    if not table.blocks or not start:
        return ""
    mark = re.escape(table.separator.encode())
    pattern = re.compile(rb"^([^" + mark + rb"\n]*):[ \t\r]*$", re.MULTILINE)
    for lines in read_backwards(path, start, layout.data_start):
        heads = pattern.findall(lines)
        if heads:
            return str(heads[-1].strip().decode(table.encoding, errors="replace"))
    return ""


def as_block(data: bytes, table: Table, lines: int) -> Block:
    """All `lines` lines of a piece of a file."""
    return Block(decode(ended(data), table), np.arange(lines))


def ended(data: bytes) -> bytes:
    """The same lines, the last one with its line end."""
    return data if data.endswith(b"\n") else data + b"\n"
