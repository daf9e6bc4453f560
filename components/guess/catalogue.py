"""Finds the columns of the files beside the events: of movies (whatever they are) and of users."""

import re
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.read.typed import LIST
from components.example_gen.read.values import numbers
from components.guess.names import rank, says
from components.guess.sample import Column, Sample
from components.guess.told import Section, Told
from schemas.features import feature_name

_MET = 0.5  # of the events' ids have to be in a file that is about them
_SEPARATORS = ("|", ", ", ",", ";", "/")
_MOST_CATEGORIES = 50
_YEAR_BEHIND = r"\((\d{4})(?:\W\d{0,4})?\)\s*$"  # a film's, or the first of a series
_YEAR_FIRST = r"^(\d{4})(?:\D|$)"


def key_of(sample: Sample, ids: Column) -> tuple[Column, float] | None:
    """The column of a file with one row for each id of the events, and the share that it has.

    None where no column has most of the ids, or they come again and again.
    """
    wanted = ids.filled.unique()
    found = []
    for column in sample.columns.values():
        own = column.filled.unique()
        share = pc.sum(pc.is_in(wanted, value_set=own).cast(pa.int64())).as_py() / max(
            len(wanted), 1
        )
        if share >= _MET and len(own) >= 0.9 * len(column.cells):
            found.append((share, column))
    if not found:
        return None
    share, column = max(found, key=lambda one: one[0])
    return column, share


def movies_section(sample: Sample, key: Column, share: float) -> Section:
    """The `movies` of a source, but for its files."""
    free = [column for column in sample.columns.values() if column is not key]
    title = _title(free, sample.named) or key
    free = [column for column in free if column is not title]
    columns: Section = {
        "movie_id": Told(key.name, f"it has {share:.0%} of the ids of the events"),
        "movie_title": Told(title.name, "" if title is not key else "no column looks like titles"),
    }
    told: Section = {**sample.section, **_nulls(sample), "columns": columns}
    if sample.multiline:
        told["multiline"] = Told(True, "some cells hold line ends")
    year = _year(free, title)
    if year is not None:
        told["year"] = year
    genres = _genres(free, sample.named)
    if genres is not None:
        column, separator, why = genres
        told["genres"] = {"column": Told(column.name, why), "separator": Told(separator)}
        free = [one for one in free if one is not column]
    features = _categories(sample, free)
    return {**told, "features": features} if features else told


def users_section(sample: Sample, key: Column) -> Section:
    """The `users` of a source, but for its files."""
    free = [column for column in sample.columns.values() if column is not key]
    told: Section = {**sample.section, **_nulls(sample), "columns": {"user_id": Told(key.name)}}
    ages = [
        column for column in free if sample.named and says(column.name, "age") and _is_age(column)
    ]
    features = _categories(sample, [column for column in free if column not in ages])
    if ages:
        features["age"] = {
            "column": Told(ages[0].name, "whole numbers, as ages in years are"),
            "in_years": Told(True),
            "label": Told("age group"),
        }
    return {**told, "features": features} if features else told


def _nulls(sample: Sample) -> Section:
    """Words for nothing that the cells hold."""
    words = (r"\N", "NULL", "null", "NaN", "nan", "NA", "N/A", "None", "(no genres listed)")
    held = {
        value for column in sample.columns.values() for value in column.counts if value in words
    }
    return {"nulls": Told([word for word in words if word in held])} if held else {}


def _title(columns: Sequence[Column], named: bool) -> Column | None:
    fitting = [column for column in columns if named and says(column.name, "title")]
    if fitting:
        return min(fitting, key=lambda column: rank(column.name, "title"))
    texts = [c for c in columns if c.distinct and numbers(c.filled).null_count > len(c.filled) / 2]
    return max(texts, key=lambda column: column.distinct, default=None)


def _year(columns: Sequence[Column], title: Column) -> Section | None:
    named = [column for column in columns if says(column.name, "year") or says(column.name, "time")]
    for column in sorted(named, key=lambda column: not says(column.name, "year")):
        if _share(column, r"^(1[89]|20)\d\d$") > 0.9:
            return {"column": Told(column.name)}
        if _share(column, r"^(1[89]|20)\d\d\D") > 0.9:
            why = "the first four digits"
            return {"column": Told(column.name, why), "pattern": Told(_YEAR_FIRST)}
    if _share(title, _YEAR_BEHIND.replace("(?:", "(")) > 0.5:
        why = "in brackets behind the title"
        return {"column": Told(title.name, why), "pattern": Told(_YEAR_BEHIND)}
    return None


def _share(column: Column, pattern: str) -> float:
    """The share of the filled cells in which a pattern is found."""
    if not len(column.filled):
        return 0.0
    found = pc.match_substring_regex(column.filled, pattern)
    return float(pc.sum(found.cast(pa.int64())).as_py() / len(column.filled))


def _genres(columns: Sequence[Column], named: bool) -> tuple[Column, str, str] | None:
    """A column of several values a cell, or one that is called so."""
    fitting = [column for column in columns if named and says(column.name, "genres")]
    for column in [*fitting, *(() if named else columns)]:
        begins = column.filled[0].as_py()[:1] if len(column.filled) else ""
        if begins == LIST:
            return column, "|", "a list in each cell, which needs no separator"
        if begins == "[":
            continue  # a list in the words of some language, which a pattern would have to read
        counted = [(_pieces(column, mark), mark) for mark in _SEPARATORS]
        counted = [(pieces, mark) for pieces, mark in counted if pieces]
        if not counted:
            if column in fitting:
                return column, "|", "one value each: any separator will do"
            continue
        pieces, mark = min(counted, key=lambda one: len(one[0]))
        if 4 * len(pieces) <= pieces.total() or column in fitting:
            return column, mark.strip() or mark, f"{len(pieces)} different values between {mark!r}"
    return None


def _pieces(column: Column, mark: str) -> Counter[str]:
    """How often each value is there when cells are cut; empty if hardly any cell is cut."""
    cells = [str(cell) for cell in column.filled.to_pylist()]
    if sum(mark in cell for cell in cells) < 0.1 * len(cells):
        return Counter()
    return Counter(piece.strip() for cell in cells for piece in cell.split(mark))


def _is_age(column: Column) -> bool:
    known = numbers(column.filled).drop_null()
    if len(known) < 0.9 * max(len(column.filled), 1):
        return False
    return bool(pc.min(known).as_py() >= 1 and pc.max(known).as_py() <= 120 and column.distinct > 8)


def _categories(sample: Sample, columns: Sequence[Column]) -> Section:
    """Columns of words that come again and again, as features of one value."""
    told: Section = {}
    for column in columns if sample.named else ():
        name = _name(column)
        most = min(_MOST_CATEGORIES, len(column.filled) // 4)
        if name and name not in told and 2 <= column.distinct <= most and _in_words(column):
            told[name] = Told(column.name, f"{column.distinct} different values")
    return told


def _in_words(column: Column) -> bool:
    values = column.filled.unique()
    return bool(pc.any(pc.match_substring_regex(values, r"\p{L}")).as_py())


def _name(column: Column) -> str | None:
    try:
        return feature_name(re.sub(r"[^A-Za-z0-9]+", "_", column.name).strip("_").lower())
    except ValueError:
        return None
