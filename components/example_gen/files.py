"""Reads bytes of files, local or remote, plain or gzip, with faults told as UserError."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, NamedTuple, cast

import tensorflow as tf

from schemas.errors import UserError
from schemas.source import Source

HEAD_BYTES = 64 << 10
PIECE_BYTES = 2 << 20
LONGEST_LINE = 16 << 20


class Piece(NamedTuple):
    """Whole lines of a file and the byte (of the unpacked text) where they start."""

    start: int
    data: bytes


def find_files(source: Source, data_dir: str) -> dict[str, list[str]]:
    """The files of each table of the source, sorted: those of the first glob that matches any.

    Raises:
        UserError: a table has no file in `data_dir`.
    """
    found = {}
    for name, table in source.tables().items():
        globs = table.patterns()
        matches = (tf.io.gfile.glob(f"{data_dir.rstrip('/')}/{glob}") for glob in globs)
        found[name] = sorted(next((match for match in matches if match), []))
        if not found[name]:
            raise UserError(
                f"{data_dir} has no {' or '.join(table.files)}, where the source {source.name} "
                f"keeps its {name}: give the folder that holds it as the data directory."
            )
    return found


def find_files_of(spans: Sequence[Source], data_dir: str) -> dict[str, list[str]]:
    """The files of each table over some spans of one source, the oldest span's first.

    Raises:
        UserError: a table has no file in `data_dir`.
    """
    found = [find_files(span, data_dir) for span in spans]
    # A table that is not delivered by span is the same in all of them.
    return {
        name: list(dict.fromkeys(path for files in found for path in files[name]))
        for name in found[0]
    }


def is_gzip(path: str) -> bool:
    """Whether the file is read through gzip: its name says so."""
    return path.endswith(".gz")


def file_size(path: str) -> int:
    """Bytes of the file as it is stored."""
    with _told(path):
        return cast(int, tf.io.gfile.stat(path).length)


def read_head(path: str) -> bytes:
    """The first 64 KiB of the (unpacked) file."""
    with _told(path), _opened(path) as stream:
        return stream.read(HEAD_BYTES)


def read_pieces(path: str, start: int, end: int, piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """The lines from byte `start`, where a line starts, up to `end`, some 2 MiB at a time.

    A gzip file is always read from `start` to its end, unpacked as it goes.
    """
    with _told(path), _opened(path) as stream:
        stream.seek(start)
        left = end - start
        pending = b""
        while chunk := stream.read(piece_bytes if is_gzip(path) else min(piece_bytes, left)):
            left -= len(chunk)
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield Piece(start, pending + chunk[:cut])
                start += len(pending) + cut
                pending = b""
            pending += chunk[cut:]
            _check_length(path, len(pending), start)
        if pending:
            yield Piece(start, pending)


def line_start_from(path: str, position: int) -> int:
    """The first byte at or after `position` where a line starts, or the end of the file."""
    with _told(path), _opened(path) as stream:
        stream.seek(position - 1)
        at = position - 1
        while chunk := stream.read(4 << 10):
            found = chunk.find(b"\n")
            if found >= 0:
                return at + found + 1
            at += len(chunk)
            _check_length(path, at - position, position)
        return at


def read_backwards(path: str, start: int, floor: int) -> Iterator[bytes]:
    """Whole lines before byte `start`, where a line starts, back to byte `floor`: last first."""
    with _told(path), _opened(path) as stream:
        tail = b""
        while start > floor:
            step = min(256 << 10, start - floor)
            start -= step
            stream.seek(start)
            lines = stream.read(step) + tail
            cut = lines.find(b"\n") + 1 if start > floor else 0
            tail = lines[:cut]
            yield lines[cut:]


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    with tf.io.gfile.GFile(path, "rb") as raw:
        if not is_gzip(path):
            yield cast(IO[bytes], raw)
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
            yield cast(IO[bytes], unpacked)


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except tf.errors.NotFoundError as error:
        raise UserError(f"{path} does not exist.") from error
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(
            f"{path} is a broken gzip file ({error}): fetch or pack it again."
        ) from error
    except tf.errors.OpError as error:
        raise UserError(f"{path} cannot be read: {error.message}.") from error


def _check_length(path: str, length: int, position: int) -> None:
    if length > LONGEST_LINE:
        raise UserError(
            f"{path} is not a text file of short lines: there is no line end within "
            f"{LONGEST_LINE >> 20} MiB of byte {position}."
        )
