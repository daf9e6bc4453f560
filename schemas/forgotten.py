"""Who is to be forgotten: a list that knows its people when it meets them, and names nobody."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

FILE = "forgotten.json"  # in the output directory
_EDGE = re.compile(r"(?<=\W)|(?=\W)")  # where an id in a row may begin or end
_LONGEST = 100  # edges of a text that are looked at


@dataclass(frozen=True)
class Forgotten:
    """Ids of users as keyed hashes (BLAKE2b).

    The salt keeps the hashes of two lists apart. It does not keep who has the list from trying ids.
    """

    salt: str
    people: frozenset[str]

    @classmethod
    def begun(cls) -> "Forgotten":
        """An empty list with a salt of its own."""
        return cls(secrets.token_hex(16), frozenset())

    @classmethod
    def from_json(cls, text: str) -> "Forgotten":
        """Reads what `to_json` made.

        Raises:
          ValueError: it is something else.
        """
        try:
            content = json.loads(text)
            return cls(str(content["salt"]), frozenset(map(str, content["people"])))
        except (TypeError, KeyError) as error:
            raise ValueError(f"it has no {error}") from error

    def to_json(self) -> str:
        """The same list gives the same text."""
        return json.dumps({"salt": self.salt, "people": sorted(self.people)}, indent=1)

    def and_also(self, users: Iterable[str]) -> "Forgotten":
        """The list with more people on it."""
        return replace(self, people=self.people | {self._hash(user) for user in users})

    def __contains__(self, user: str) -> bool:
        return self._hash(user) in self.people

    def is_named_in(self, text: str) -> bool:
        """Whether a row quotes somebody's id, between its ends and whatever else is no letter."""
        return bool(self.people) and any(part in self for part in _parts(text))

    def _hash(self, user: str) -> str:
        return hashlib.blake2b(user.encode(), digest_size=16, key=self._key).hexdigest()

    @cached_property
    def _key(self) -> bytes:
        return self.salt.encode()[: hashlib.blake2b.MAX_KEY_SIZE]


NOBODY = Forgotten("", frozenset())


def _parts(text: str) -> Iterator[str]:
    edges = sorted({0, len(text), *(found.start() for found in _EDGE.finditer(text))})[:_LONGEST]
    return (text[start:end] for start, end in combinations(edges, 2))
