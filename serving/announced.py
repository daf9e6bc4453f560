"""Where a server over a folder of models is found: in a file beside the folder, while it serves.

Whoever may write there may push models as well, so the file is trusted as far as the models are.
The server holds a lock on it: what a killed server left says nothing.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from serving.listening import is_loopback

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


@contextmanager
def announced(folder: Path, host: str, port: int) -> Iterator[None]:
    """Says while the block runs that a server over the folder listens, if this machine can ask it.

    Where the file cannot be written, as beside a folder that is mounted, nobody is told.
    """
    address = _ANYWHERE.get(host, host if is_loopback(host) else "")
    if not address:
        yield
        return
    place = announcement(folder)
    aside = place.with_name(f"{place.name}.{os.getpid()}")
    shown = f"[{address}]" if ":" in address and address[0] != "[" else address
    try:
        file = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(file, json.dumps({"url": f"http://{shown}:{port}"}).encode())
            aside.replace(place)
        yield
    finally:
        aside.unlink(missing_ok=True)
        with suppress(OSError):
            if os.path.samestat(os.fstat(file), place.stat()):
                place.unlink()
        os.close(file)


def find_server(folder: Path) -> str | None:
    """The address of a server of this user's over the folder that is at work, or None."""
    try:
        with announcement(folder).open("rb") as file:
            status = os.fstat(file.fileno())
            if (
                status.st_uid != os.getuid()
                or status.st_mode & 0o022
                or not _is_held(file.fileno())
            ):
                return None
            url = json.loads(file.read(1000))["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) else None


def announcement(folder: Path) -> Path:
    """The file that names the server over a folder of models."""
    whole = folder.resolve()
    return whole.with_name(f".{whole.name}.server")


def _is_held(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
