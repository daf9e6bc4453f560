"""What a pushed model's files must be, so that a copy that was cut off or changed is found."""

import hashlib
import json
from pathlib import Path
from typing import IO

FILE = "manifest.json"  # in the version's folder: the path and SHA-256 of every other file
GRAPH_FILE = "saved_model.pb"  # of a SavedModel; it is written last


def digest(file: IO[bytes]) -> str:
    """The SHA-256 of what a file holds from here on, in hexadecimal digits."""
    found = hashlib.sha256()
    while block := file.read(1 << 20):
        found.update(block)
    return found.hexdigest()


def fault(version: Path) -> str | None:
    """What is wrong with a version's files, without a full stop; None where they are as pushed.

    A version without a manifest is taken as it is: it was not pushed by a run.

    Raises:
      OSError: a file cannot be read.
    """
    try:
        wanted = json.loads((version / FILE).read_text(encoding="utf-8"))["sha256"].items()
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        return f"its {FILE} is broken"
    for name, expected in sorted(wanted):
        if not (version / name).is_file():
            return f"{name} is missing"
        with (version / name).open("rb") as file:
            if digest(file) != expected:
                return f"{name} is not as it was pushed"
    return None
