"""What to ask a reloaded model."""

from collections.abc import Iterator
from dataclasses import dataclass

BATCH = 256  # Examples or users that the model is asked about at once


@dataclass(frozen=True)
class Job:
    """What to ask, and where to write the answers.

    model: folder of the SavedModel.
    catalogue: TFRecord files of the catalogue's Examples.
    examples: TFRecord files of Examples of one target each; each user's last one is asked about.
    users: the most users to ask about.
    k: length of the lists.
    outputs: what `evaluate` has to answer.
    valid, valid_rows: the files, and how many of their rows, that training measured.
    people: users to ask about by their id alone, beside those of `examples`.
    pairs: users and movies to ask about as the server is asked.
    arrays: the .npz file to write.
    texts: the JSON file to write.
    rates: whether the model has to predict ratings; default: it may or may not.
    rated_outputs: what `evaluate` has to answer besides if it does.
    """

    model: str
    catalogue: list[str]
    examples: list[str]
    users: int
    k: int
    outputs: list[str]
    valid: list[str]
    valid_rows: int
    people: list[str]
    pairs: list[tuple[str, str]]
    arrays: str
    texts: str
    rates: bool | None = None
    rated_outputs: tuple[str, ...] = ()


def batched(values: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """The values in parts of `BATCH`, each behind the place of its first one."""
    for start in range(0, len(values), BATCH):
        yield start, values[start : start + BATCH]
