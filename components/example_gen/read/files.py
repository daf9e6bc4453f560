"""Reads bytes of files, local or remote, plain or packed; what goes wrong is a UserError."""

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, cast

import tensorflow as tf

from schemas.errors import UserError

HEAD_BYTES = 64 << 10
PIECE_BYTES = 2 << 20
LONGEST_LINE = 16 << 20
_NoSuchPlace = tf.errors.InvalidArgumentError
_ENCRYPTED = 1  # the bit of a zip member's flags


class Piece(NamedTuple):
    """Whole lines of a file and the byte (of the unpacked text) where they start."""

    start: int
    data: bytes


def packing(path: str) -> str:
    """How the file is packed, by its name: `.gz`, `.zip` or `` for not at all."""
    return next((end for end in (".gz", ".zip") if path.lower().endswith(end)), "")


def inner_name(path: str) -> str:
    """The name of what is in the file: its own, or that of the one file in a zip archive."""
    end = packing(path)
    if end != ".zip":
        return path[: len(path) - len(end)]
    with (
        _as_user_errors(path),
        tf.io.gfile.GFile(path, "rb") as raw,
        zipfile.ZipFile(raw) as archive,
    ):
        return _only_member(path, archive).filename


def file_size(path: str) -> int:
    """Bytes of the file as it is stored."""
    with _as_user_errors(path):
        return cast(int, tf.io.gfile.stat(path).length)


def read_head(path: str) -> bytes:
    """The first 64 KiB of the (unpacked) file."""
    with _as_user_errors(path), _opened(path) as stream:
        return stream.read(HEAD_BYTES)


@contextmanager
def opened_whole(path: str) -> Iterator[IO[bytes]]:
    """The (unpacked) bytes, to be read in any order: a packed file is unpacked on disk first."""
    with _as_user_errors(path), _opened(path) as stream:
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
    with _as_user_errors(path), _opened(path) as stream:
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
    with _as_user_errors(path), _opened(path) as stream:
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
    with _as_user_errors(path), _opened(path) as stream:
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


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    with tf.io.gfile.GFile(path, "rb") as raw:
        if packing(path) == ".gz":
            with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
                yield cast(IO[bytes], unpacked)
        elif packing(path) == ".zip":
            with zipfile.ZipFile(raw) as archive, archive.open(_only_member(path, archive)) as file:
                yield file
        else:
            yield cast(IO[bytes], raw)


def _only_member(path: str, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file in the archive; what macOS adds beside it does not count."""
    inside = [info for info in archive.infolist() if not info.is_dir()]
    inside = [info for info in inside if not info.filename.startswith("__MACOSX/")]
    if len(inside) != 1:
        names = ", ".join(info.filename for info in inside)[:200] or "nothing"
        raise UserError(f"{path} has to hold one file, and holds {names}: unpack it first.")
    if inside[0].flag_bits & _ENCRYPTED:
        raise UserError(f"{path} is encrypted: unpack it first.")
    if packing(inside[0].filename):
        raise UserError(f"{path} holds a packed file, {inside[0].filename}: unpack it first.")
    return inside[0]


@contextmanager
def _as_user_errors(path: str) -> Iterator[None]:
    try:
        yield
    except tf.errors.NotFoundError as error:
        raise UserError(f"{path} does not exist.") from error
    except NotImplementedError as error:
        raise UserError(
            f"{path} is packed in an unusual way ({error}): unpack it first."
        ) from error
    # TensorFlow's own error is about the end of the archive, which a short file does not have.
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile, _NoSuchPlace) as error:
        kind = "zip" if packing(path) == ".zip" else "gzip"
        raise UserError(
            f"{path} is a broken {kind} file ({error}): fetch or pack it again."
        ) from error
    except tf.errors.OpError as error:
        if tf.io.gfile.isdir(path):
            inside = f"{path.rsplit('/', 1)[-1]}/*"
            raise UserError(f"{path} is a folder: name its files, as in `{inside}`.") from error
        raise UserError(f"{path} cannot be read: {error.message}.") from error


def _check_length(path: str, length: int, position: int) -> None:
    if length > LONGEST_LINE:
        raise UserError(
            f"{path} is not a text file of short lines: there is no line end within "
            f"{LONGEST_LINE >> 20} MiB of byte {position}."
        )
