"""Opens files, local or remote, plain or packed; what goes wrong is a UserError."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import tensorflow as tf

from schemas.errors import UserError

_NoSuchPlace = tf.errors.InvalidArgumentError
# Ratings as text pack to a fifth or a tenth; what is made to fill the memory, to a thousandth.
GROWTH = 40
LEAST_BOUND = 64 << 20  # bytes that any file may unpack to
_ENCRYPTED = 1  # the bit of a zip member's flags


def packing(path: str) -> str:
    """How the file is packed, by its name: `.gz`, `.zip` or `` for not at all."""
    return next((end for end in (".gz", ".zip") if path.lower().endswith(end)), "")


def inner_name(path: str) -> str:
    """The name of what is in the file: its own, or that of the one file in a zip archive."""
    end = packing(path)
    _check_kind(path)
    if end != ".zip":
        return path[: len(path) - len(end)]
    with (
        as_user_errors(path),
        tf.io.gfile.GFile(path, "rb") as raw,
        zipfile.ZipFile(raw) as archive,
    ):
        return _only_member(path, archive).filename


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """The (unpacked) bytes; raises what `as_user_errors` knows.

    Raises:
      UserError: it is neither file nor folder, or unpacks to too much: see `check_growth`.
    """
    _check_kind(path)
    with tf.io.gfile.GFile(path, "rb") as raw:
        if packing(path) == ".gz":
            with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
                yield cast(IO[bytes], _Counted(path, cast(IO[bytes], unpacked)))
        elif packing(path) == ".zip":
            with zipfile.ZipFile(raw) as archive, archive.open(_only_member(path, archive)) as file:
                yield cast(IO[bytes], _Counted(path, file))
        else:
            yield cast(IO[bytes], raw)


class _Counted:
    """A packed file's bytes, counted as they are unpacked."""

    def __init__(self, path: str, stream: IO[bytes]) -> None:
        self._path, self._stream = path, stream
        self._stored = tf.io.gfile.stat(path).length

    def read(self, size: int) -> bytes:
        """As a file's."""
        data = self._stream.read(size)
        check_growth(self._path, self._stored, self._stream.tell())
        return data

    def seek(self, place: int) -> int:
        """As a file's."""
        return self._stream.seek(place)


def check_growth(path: str, stored: int, unpacked: int) -> None:
    """Raises UserError for a file that unpacks to more bytes than honest data do."""
    if unpacked > max(LEAST_BOUND, GROWTH * stored):
        raise UserError(
            f"{path} has {stored:,} bytes and unpacks to more than {unpacked:,}, over {GROWTH} "
            f"times as many and over {LEAST_BOUND >> 20} MiB: if all of that are data, unpack it "
            "first."
        )


def _check_kind(path: str) -> None:
    """Raises UserError for what nobody can read twice, or at all: a pipe would be waited for."""
    here = Path(path)
    if "://" not in path and here.exists() and not (here.is_file() or here.is_dir()):
        raise UserError(f"{path} is no file but a pipe, socket or device: copy it into a file.")


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
def as_user_errors(path: str) -> Iterator[None]:
    """Says in a UserError what is wrong with the file that is read inside."""
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
