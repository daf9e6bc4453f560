"""What is found out about a source, each piece with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = str | bool | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """A value of a source description, and why it is so: '' where that is plain."""

    value: Value
    why: str = ""


Section = dict[str, "Told | Section"]
