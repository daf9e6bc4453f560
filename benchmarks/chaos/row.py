"""What an attack came to."""

from typing import NamedTuple


class Row(NamedTuple):
    """A line of the table.

    attack: what was done.
    tried, survived: how often it was done, and how often all was as it must be afterwards.
    found: what was seen, in words.
    """

    attack: str
    tried: int
    survived: int
    found: str
