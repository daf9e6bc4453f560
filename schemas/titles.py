"""Finds movies by what people type: any case, accents or not, article in front or behind."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from schemas.errors import UserError
from schemas.words import MOVIE, Item

SUGGESTIONS = 3
LEAST_PART = 3  # letters of a part of a title that stands for it
MOST_TYPED, SEARCHED = 200, 2000  # letters that are read of what is typed, and of a title
CLOSE = 75.0  # of 100: below, a suggestion would puzzle more than it helps
_YEAR = re.compile(r"\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$|[\s,]\(?(\d{4})\)?\s*$")
_BEHIND = re.compile(r"^(.*),\s*(the|a|an|der|die|das|le|la|les|l'|el|los|las|il|lo|i|un|une)$")
_FRONT = re.compile(r"^(the|a|an)\s+(?=\S)")
_PARTS = re.compile(r"^([^(\n]*)\((.*)\)$")


def plain(title: str) -> str:
    """A title without case, accents, punctuation, year and article."""
    text = unicodedata.normalize("NFKD", title).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c)).replace("&", " and ").strip()
    behind = _BEHIND.match(text)
    if behind:
        text = f"{behind[2]} {behind[1]}"
    text = re.sub(r"['\u2019.]", "", text)
    text = " ".join(re.sub(r"[^\w]+", " ", text).split())
    return _FRONT.sub("", text)


def split_year(title: str) -> tuple[str, int]:
    """A title and the year that it ends with, 0 where there is none."""
    year = _YEAR.search(title)
    if not year or not title[: year.start()].strip():
        return title.strip(), 0
    return title[: year.start()].strip(" ,"), int(year[1] or year[2])


class Titles:
    """The catalogue's titles, ready to be searched."""

    def __init__(
        self,
        ids: Sequence[str],
        titles: Sequence[str],
        years: Sequence[int],
        ratings: NDArray[Any],
        item: Item = MOVIE,
    ) -> None:
        """Prepares the search.

        Args:
          ids: of the movies, row by row.
          titles: of the movies.
          years: of the movies, 0 where it is not known.
          ratings: how many each movie has, (movies,).
          item: what people call the movies.
        """
        self._titles, self._years, self._item = titles, years, item
        self._row_by_id = {movie: row for row, movie in enumerate(ids)}
        by_popularity = np.argsort(-ratings, kind="stable").tolist()
        self._row_by_title = {titles[row]: row for row in reversed(by_popularity)}
        self._rows_by_name: dict[str, list[int]] = defaultdict(list)
        for row in by_popularity:
            for name in _names(titles[row]):
                self._rows_by_name[plain(name)].append(row)
        # A title may be typed in more letters than it has, but not in many more.
        self._longest = 2 * max(map(len, titles), default=0) + MOST_TYPED
        self._by_popularity = [(f" {plain(titles[row])}"[:SEARCHED], row) for row in by_popularity]
        self._plain_names = list(self._rows_by_name)

    def find(self, typed: str) -> int:
        """The row of the movie with this id or title, or with these words in its title.

        Of several, it is the one rated most, as the first one that `search` finds.

        Raises:
          UserError: there is none; the sentence names what comes close.
        """
        for names in (self._row_by_id, self._row_by_title):
            if typed in names:
                return names[typed]
        spellings = ((typed, 0), split_year(typed)) if len(typed) <= self._longest else ()
        for name, year in spellings:
            rows = self._rows_by_name.get(plain(name), [])
            rows = [row for row in rows if year in (0, self._year(row))]
            if rows:
                return rows[0]
        for name, year in spellings:
            part = plain(name)
            rows = self._fitting(part.split()) if len(part) >= LEAST_PART else []
            rows = [row for row in rows if year in (0, self._year(row)) and self._has(row, part)]
            if rows:
                return rows[0]
        close = [f"'{self._titles[row]}'" for row in self._close(typed)]
        hint = f": did you mean {' or '.join(close)}?" if close else "."
        raise UserError(f"There is no {self._item.one} {typed[:100]!r}{hint}")

    def names(self, typed: str) -> bool:
        """Whether this is an id or a title, to the letter."""
        return typed in self._row_by_id or typed in self._row_by_title

    def search(self, typed: str, most: int) -> list[int]:
        """Rows of movies with a word that starts like each typed one, the most rated first."""
        typed = typed[:MOST_TYPED]
        words = plain(typed).split()
        if not words:  # nothing typed, or signs alone
            titles = ((self._titles[row], row) for _, row in self._by_popularity)
            return list(islice((row for title, row in titles if typed.strip() in title), most))
        fitting = self._fitting(words)
        missing = most - len(fitting)
        close = self._close(typed) if missing > 0 and len(typed) > 2 else []
        return fitting[:most] + [row for row in close if row not in fitting][:missing]

    def _fitting(self, words: Sequence[str]) -> list[int]:
        """Rows of movies with a word that starts like each of these, the most rated first."""
        starts = [f" {word}" for word in dict.fromkeys(words)]
        return [row for name, row in self._by_popularity if all(start in name for start in starts)]

    def _has(self, row: int, part: str) -> bool:
        """Whether words stand in a title, as they are and one behind the other."""
        return f" {part} " in f" {plain(self._titles[row])} "

    def _close(self, typed: str) -> Sequence[int]:
        name, _ = split_year(typed[:MOST_TYPED])
        close = process.extract(
            plain(name), self._plain_names, scorer=fuzz.ratio, score_cutoff=CLOSE, limit=SUGGESTIONS
        )
        return list(dict.fromkeys(self._rows_by_name[key][0] for key, _, _ in close))

    def _year(self, row: int) -> int:
        return self._years[row] or split_year(self._titles[row])[1]


def _names(title: str) -> set[str]:
    """What a movie may be called: its title, without the year, and titles in brackets."""
    bare, _ = split_year(title)
    names, parts = {title, bare}, _PARTS.match(bare)
    if parts:
        names |= {parts[1], re.sub(r"^a\.?k\.?a\.?\s+", "", parts[2])}
    return {name for name in names if plain(name)}
