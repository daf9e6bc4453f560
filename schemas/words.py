"""What a source calls the things that it recommends: movies, board games, songs."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_MOVIE = re.compile(r"\b(?:([Aa]) )?([Mm])ovie(s?)\b")


class Item(NamedTuple):
    """One of them, and several."""

    one: str
    several: str

    def worded(self, sentence: str) -> str:
        """A sentence on movies as one on these: 'a movie' may become 'an album'.

        It is for sentences of ours alone: what data hold, such as titles, stays as it is.
        """
        return sentence if self == MOVIE else _MOVIE.sub(self._called, sentence)

    def _called(self, found: re.Match[str]) -> str:
        article, first, many = found.groups()
        word = self.several if many else self.one
        if article:
            before = article + ("n" if word[0].lower() in "aeiou" else "")
            return f"{before} {word}"
        return word[0].upper() + word[1:] if first == "M" else word


MOVIE = Item("movie", "movies")


def item_of(words: Sequence[str]) -> Item:
    """What one of them is called, and several: the plural where it is not told."""
    return Item(words[0], words[1] if len(words) > 1 else plural(words[0]))


def plural(word: str) -> str:
    """The regular plural of an English word, or of the last of several."""
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search(r"(s|x|z|ch|sh)$", word) else f"{word}s"
