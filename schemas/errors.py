"""The one error type that stands for a user's mistake, and what else is told as one."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# As the system, SQLite and TensorFlow have it; libraries hand on the words, not always the number.
_FULL = (
    "No space left on device", "Disk quota exceeded", "File too large",
    "database or disk is full",
)  # fmt: skip
# What Beam adds to an exception of a worker; runners elsewhere hand on the traceback's text alone.
_OF_WORKER = re.compile(r"^(?:\w+\.)*(\w+): ([^\n]*?) \[while running '([^'\n]*)'\]", re.MULTILINE)
_OF_STEP = re.compile(r"(.*) \[while running '([^'\n]*)'\]")


class UserError(Exception):
    """A mistake that the user can mend; its message is one sentence that says what to do.

    The command line prints the message without a traceback and exits with status 2.
    """


class RunFailed(Exception):  # noqa: N818 (it is an outcome)
    """A run ended by a fault that is not the user's; its message says where the log is."""


def full_disk(error: BaseException) -> str | None:
    """One sentence for an error that a full disk brought about; None for any other error."""
    words = next((w for one in _chain(error) for w in _FULL if w in str(one)), None)
    if words is None:
        return None
    names = (getattr(one, "filename", None) for one in _chain(error))
    place = next((f" for {name}" for name in names if isinstance(name, str)), "")
    return (
        f"There is no room{place} ({words}): free some and give the same command again; it goes "
        "on from here."
    )


class WorkerError(NamedTuple):
    """What happened in a worker: the exception's class and text, and the step that it came from."""

    kind: str
    text: str
    step: str


def worker_error(error: BaseException) -> WorkerError | None:
    """The exception in a worker that an error of Beam tells of; None for any other error."""
    found = _OF_WORKER.findall(str(error))
    if found:
        return WorkerError(*found[-1])
    here = _OF_STEP.fullmatch(str(error))
    return WorkerError(type(error).__name__, *here.groups()) if here else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
