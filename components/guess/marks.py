"""Finds out how the cells of a column say how something was liked."""

import re
from collections.abc import Mapping

import pyarrow as pa

from components.example_gen.read.values import numbers
from components.guess.sample import Column
from components.guess.told import Section, Told

_USUAL = ((0.5, 5), (1, 5), (0, 5), (1, 10), (0, 10), (0, 1), (-1, 1), (0, 100), (-10, 10))
_LIKED = {"up", "thumbsup", "thumbup", "like", "likes", "liked", "love", "loved", "yes", "y",
          "true", "positive", "pos", "good", "plus", "+", "\N{THUMBS UP SIGN}"}  # fmt: skip
_NOT_LIKED = {"down", "thumbsdown", "thumbdown", "dislike", "dislikes", "disliked", "hate",
              "hated", "no", "n", "false", "negative", "neg", "bad", "minus",
              "\N{THUMBS DOWN SIGN}"}  # fmt: skip
_NO_OPINION = {"none", "neutral", "skip", "skipped", "unrated", "unknown", "null", "nan", "na",
               "n/a", "seen", "watched", "unset", "-", "?", r"\n"}  # fmt: skip
_MOST_WORDS = 50  # different words that can be numbers, such as '4,5' or '4 stars'
_MOST_MARKS = 1001  # different ratings
_SURE = 200  # ratings: among so many, the highest there is will have been given


def guess_marks(column: Column) -> Section | None:
    """`scale`, `values` and `unrated` of a column of ratings; None if it has none.

    Every value has to be understood: a word that nothing is known of may mean anything.
    """
    counts = dict(column.counts)
    unrated = {
        value: counts.pop(value) for value in [*counts] if _key(value) in _NO_OPINION or not value
    }
    if not 2 <= len(counts) <= _MOST_MARKS:
        return None
    words = _thumbs(counts) or _numbers_in(counts)
    marks = words or _plain(counts)
    if marks is None:
        return None
    for value in _placeholders(marks, counts):
        unrated[value] = counts[value]
        marks.pop(value)
    if len({*marks.values()}) < 2:
        return None
    seen = f"the {sum(counts[value] for value in marks):,} ratings that were looked at go from"
    seen += f" {min(marks.values()):g} to {max(marks.values()):g}"
    told: Section = {"scale": Told([f"{end:g}" for end in _scale(marks, counts)], seen)}
    if words:
        told["values"] = {"rating": Told({word: f"{mark:g}" for word, mark in words.items()})}
    if unrated:
        shown = " and ".join(repr(value) if value else "an empty cell" for value in unrated)
        share = sum(unrated.values()) / len(column.cells)
        doubt = "; if 0 is a rating, let the scale begin with it" if "0" in unrated else ""
        told["unrated"] = Told(
            [*unrated], f"seen, but not rated: {shown}, in {share:.1%} of the rows{doubt}"
        )
    return told


def _key(value: str) -> str:
    return re.sub(r"[\s_]", "", value.lower())


def _thumbs(counts: Mapping[str, int]) -> dict[str, float] | None:
    """1 and 0 for words for liked and not liked; None if there are any others."""
    liked = {value: float(_key(value) in _LIKED) for value in counts}
    known = all(mark or _key(value) in _NOT_LIKED for value, mark in liked.items())
    return liked if known else None


def _numbers_in(counts: Mapping[str, int]) -> dict[str, float] | None:
    """The number in each of a few words, such as 4.5 in '4,5' or 4 in '4 stars'."""
    found = {value: re.fullmatch(r"[^\d-]*(\d+(?:[.,]\d+)?)\D*", value) for value in counts}
    if len(found) > _MOST_WORDS or _plain(counts) is not None or not all(found.values()):
        return None
    return {value: float(match[1].replace(",", ".")) for value, match in found.items() if match}


def _plain(counts: Mapping[str, int]) -> dict[str, float] | None:
    parsed = numbers(pa.array(list(counts), pa.string()))
    if parsed.null_count:
        return None
    return dict(zip(counts, map(float, parsed.to_numpy()), strict=True))


def _placeholders(marks: Mapping[str, float], counts: Mapping[str, int]) -> list[str]:
    """Numbers for no rating: -1 below the others, or 0 where it is more frequent than they."""
    other = [mark for mark in marks.values() if mark not in (-1, 0)]
    if not other or min(other) < 0 or max(other) <= 1:
        return []
    found = [value for value, mark in marks.items() if mark == -1]
    zero = next((value for value, mark in marks.items() if mark == 0), None)
    rated = [counts[value] for value, mark in marks.items() if mark > 0]
    if zero is not None and min(other) >= 1 and max(other) >= 5 and counts[zero] > max(rated):
        found.append(zero)
    return found


def _scale(marks: Mapping[str, float], counts: Mapping[str, int]) -> tuple[float, float]:
    """The usual scale that the ratings are on, or else from the lowest to the highest of them."""
    low, high = min(marks.values()), max(marks.values())
    fitting = [(least, most) for least, most in _USUAL if least <= low and high <= most]
    exact = [scale for scale in fitting if scale[1] == high]
    if exact:
        return max(exact)
    whole = all(mark == int(mark) for mark in marks.values())
    few = sum(counts[value] for value in marks) < _SURE
    if fitting and (few or not whole or high > 10):
        return min(fitting, key=lambda scale: scale[1] - scale[0])
    return low, high
