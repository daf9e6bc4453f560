"""The one error type that stands for a user's mistake, and what else is told as one."""

from collections.abc import Iterator

# As the system, SQLite and TensorFlow have it; libraries hand on the words, not always the number.
_FULL = (
    "No space left on device", "Disk quota exceeded", "File too large",
    "database or disk is full",
)  # fmt: skip


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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
