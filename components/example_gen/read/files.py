"""Reads bytes and lines of files, local or remote, plain or packed."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, cast

import tensorflow as tf

from components.example_gen.read.packed import as_user_errors, opened, packing
from schemas.errors import UserError

HEAD_BYTES = 64 << 10
PIECE_BYTES = 2 << 20
LONGEST_LINE = 16 << 20


class Piece(NamedTuple):
    """Whole lines of a file and the byte (of the unpacked text) where they start."""

    start: int
    data: bytes


def file_size(path: str) -> int:
    """Bytes of the file as it is stored."""
    with as_user_errors(path):
        return cast(int, tf.io.gfile.stat(path).length)


def read_head(path: str) -> bytes:
    """The first 64 KiB of the (unpacked) file."""
    with as_user_errors(path), opened(path) as stream:
        return stream.read(HEAD_BYTES)


@contextmanager
def opened_whole(path: str) -> Iterator[IO[bytes]]:
    """The (unpacked) bytes, to be read in any order: a packed file is unpacked on disk first."""
    with as_user_errors(path), opened(path) as stream:
        if not packing(path):
            yield cast(IO[bytes], _Seekable(stream))
            return
        with tempfile.TemporaryFile() as unpacked:
            shutil.copyfileobj(stream, unpacked, PIECE_BYTES)
            unpacked.seek(0)
            yield unpacked


def read_pieces(path: str, start: int, end: int, piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """The lines from byte `start`, where a line starts, up to `end`, some 2 MiB at a time.

    A packed file is always read from `start` to its end, unpacked as it goes.
    """
    with as_user_errors(path), opened(path) as stream:
        stream.seek(start)
        left = end - start
        pending = b""
        while chunk := stream.read(piece_bytes if packing(path) else min(piece_bytes, left)):
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
    with as_user_errors(path), opened(path) as stream:
        stream.seek(position - 1)
        at = position - 1
        while chunk := stream.read(4 << 10):
            end = chunk.find(b"\n")
            if end >= 0:
                return at + end + 1
            at += len(chunk)
            _check_length(path, at - position, position)
        return at


def read_backwards(path: str, start: int, floor: int) -> Iterator[bytes]:
    """Whole lines before byte `start`, where a line starts, back to byte `floor`: last first."""
    with as_user_errors(path), opened(path) as stream:
        tail = b""
        while start > floor:
            step = min(256 << 10, start - floor)
            start -= step
            stream.seek(start)
            lines = stream.read(step) + tail
            cut = lines.find(b"\n") + 1 if start > floor else 0
            tail = lines[:cut]
            yield lines[cut:]


class _Seekable(io.RawIOBase):
    """A file of TensorFlow's as one of Python's, which is what Arrow takes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _check_length(path: str, length: int, position: int) -> None:
    if length > LONGEST_LINE:
        raise UserError(
            f"{path} is not a text file of short lines: there is no line end within "
            f"{LONGEST_LINE >> 20} MiB of byte {position}."
        )
