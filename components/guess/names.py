"""What columns are called in shops, catalogues and data sets."""

import re
from typing import Literal

Role = Literal["user", "item", "rating", "time", "title", "year", "genres", "age"]

_WORDS: dict[Role, str] = {
    "rating": "rating ratings rate rated stars star score vote grade mark feedback thumb thumbs "
    "liked like reaction opinion sentiment verdict preference overall",
    "time": "timestamp time datetime date day ts at when created updated ordered watched viewed "
    "played purchased bought moment unixtime epoch",
    "user": "user users userid uid username customer customerid cust member memberid profile "
    "person account client visitor visitorid who reviewer reviewerid buyer shopper viewer "
    "listener reader player subscriber rater household",
    "item": "movie movieid movies film item itemid iid product productid prod anime manga book "
    "game boardgame title show series track song album artist article sku asin isbn content "
    "video episode recipe restaurant business course podcast beer wine",
    "title": "title name label headline",
    "year": "year released release published premiered",
    "genres": "genre genres category categories kinds tags subjects mechanics",
    "age": "age",
}
_ROLE_WORDS = {role: frozenset(words.split()) for role, words in _WORDS.items()}
_ID_WORDS = frozenset(("id", "ids", "key", "code", "no", "nr", "number", "sku", "asin", "isbn"))


def words(name: str) -> list[str]:
    """The lower-case words of a column's name, such as user and id of `userId`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W_]+", apart.lower())


def says(name: str, role: Role) -> bool:
    """Whether a column's name has a word for this role."""
    return bool(_ROLE_WORDS[role].intersection(words(name)))


def rank(name: str, role: Role) -> tuple[int, int]:
    """How far down a role's list the name's word is, and how many words there are beside it."""
    own, listed = words(name), _WORDS[role].split()
    return min(listed.index(word) for word in own if word in listed), len(own)


def role(name: str) -> Role | None:
    """The first role that the name has a word for, if any."""
    return next((role for role in _WORDS if says(name, role)), None)


def is_id(name: str) -> bool:
    """Whether the name says that its values are ids."""
    own = words(name)
    return bool(_ID_WORDS.intersection(own)) or len(own) == 1
