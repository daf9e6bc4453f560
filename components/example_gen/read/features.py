"""Makes the features of movies and users out of the cells that describe them."""

import re
from collections.abc import Mapping

from components.example_gen.read import patterns, problems
from components.example_gen.read.days import MONTHS, WEEKDAYS, day_of, year_and_fraction
from components.example_gen.read.typed import LIST
from schemas.features import POSTER, YEAR
from schemas.source_parts import Category, Cell, Date, Declared, Number, Several, Text
from schemas.source_tables import FeatureTable, Movies, Users

# MovieLens 1M's buckets: an age belongs to the last one that starts at or below it.
_AGE_BUCKETS = {
    0: "under 18",
    18: "18-24",
    25: "25-34",
    35: "35-44",
    45: "45-49",
    50: "50-55",
    56: "56+",
}

_YES = {"1", "true", "t", "yes", "y", "x", "on"}
_NO = {"", "0", "false", "f", "no", "n", "off"}
_LAST_YEAR, _OLDEST = 2100, 125
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_LARGEST = 1e38  # about, that a 32-bit number can be

RowCells = dict[str, str]
Value = str | int | float | list[str] | None
Features = dict[str, Value]
Faults = dict[str, str]


def movie_title(cells: RowCells) -> str:
    """The title, or the one that stands in for it, or ''."""
    return cells["movie_title"] or cells.get("fallback_title", "")


def movie_features(table: FeatureTable, cells: RowCells, faults: Faults) -> Features:
    """The features of a movie's row: year 0, '', no values or, of numbers, None where unknown.

    The title, too, of movies, and what is said of a poster.

    A code that `values` lacks stays as it is; it counts as a fault.

    Args:
      table: what its cells mean.
      cells: of the row.
      faults: gets the reason for each column whose cell says something that cannot be read.
    """
    features: Features = {}
    if isinstance(table, Movies):
        features["movie_title"] = movie_title(cells)
        features |= {POSTER: cells[POSTER]} if POSTER in cells else {}
    return features | _declared(table.declared(), cells, faults)


def user_features(table: Users, cells: RowCells, faults: Faults) -> Features:
    """The features of a user's row ('' unknown); see `movie_features`."""
    return _declared(table.features, cells, faults)


def _declared(parts: Mapping[str, Declared], cells: RowCells, faults: Faults) -> Features:
    """What each part says; a date says several things."""
    features: Features = {}
    for name, part in parts.items():
        if isinstance(part, Date):
            features |= _date(part, name, cells, faults)
        else:
            features[name] = feature(part, name, cells, faults)
    return features


def feature(part: Declared, name: str, cells: RowCells, faults: Faults) -> Value:
    """What the cell of the feature's name says; see `movie_features`."""
    if isinstance(part, Several):
        return _several(part, name, cells, faults)
    if isinstance(part, Category):
        return _category(part, name, cells, faults)
    if isinstance(part, Number):
        return _number(part, name, cells, faults)
    if isinstance(part, Text):
        return " ".join(cells[name].split())
    assert isinstance(part, Cell), "what is none of these is the year"
    return _year(part, cells, faults)


def _year(part: Cell, cells: RowCells, faults: Faults) -> int:
    text = _cell_text(part, YEAR, cells, faults)
    year = re.fullmatch(r"(\d{1,4})(\.0*)?", text)
    if year and int(year[1]) <= _LAST_YEAR:
        return int(year[1])
    if text:
        faults[YEAR] = problems.UNREADABLE_YEAR
    return 0


def _category(part: Category, name: str, cells: RowCells, faults: Faults) -> str:
    text = _cell_text(part, name, cells, faults)
    if text and part.values and text not in part.values:
        faults[name] = problems.UNMAPPED_VALUE
    word = part.values.get(text, text)
    return _bucket(word, name, faults) if part.in_years else word


def _number(part: Number, name: str, cells: RowCells, faults: Faults) -> float | None:
    """The number, which is stored in 32 bits."""
    text = _cell_text(part, name, cells, faults)
    if _NUMBER.fullmatch(text) and abs(float(text)) <= _LARGEST:
        return float(text)
    if text:
        faults[name] = problems.NO_NUMBER
    return None


def _date(part: Date, name: str, cells: RowCells, faults: Faults) -> Features:
    day = day_of(cells[name], part.format)
    if day is None and cells[name]:
        faults[name] = problems.NO_DATE
    return {
        name: year_and_fraction(day) if day else None,
        f"{name}_month": MONTHS[day.month - 1] if day else "",
        f"{name}_weekday": WEEKDAYS[day.weekday()] if day else "",
    }


def _cell_text(part: Cell | Category | Number, name: str, cells: RowCells, faults: Faults) -> str:
    if not part.pattern:
        return cells[name]
    match = patterns.search(part.pattern, cells[name])
    if not match and _says_something(cells[name]):
        faults[name] = problems.NO_MATCH
    return next((group.strip() for group in match.groups() if group), "") if match else ""


def _says_something(cell: str) -> bool:
    """Whether a cell holds more than the brackets of an empty list."""
    return re.search(r"\w", cell) is not None


def _several(part: Several, name: str, cells: RowCells, faults: Faults) -> list[str]:
    if part.flags:
        return [value for value in part.flags if _flag(f"{name}.{value}", cells, faults)]
    if cells[name].startswith(LIST):
        values = cells[name].split(LIST)
    elif part.separator:
        values = cells[name].split(part.separator)
    else:
        matches = patterns.matches(part.pattern or "", cells[name])
        values = [next((group for group in match.groups() if group), "") for match in matches]
        if not values and _says_something(cells[name]):
            faults[name] = problems.NO_MATCH
    return list(dict.fromkeys(value.strip() for value in values if value.strip()))


def _flag(name: str, cells: RowCells, faults: Faults) -> bool:
    """Whether a cell says yes: 1, 1.0, true, t, yes, y, x or on, in any case."""
    word = re.sub(r"^([01])\.0*$", r"\1", cells[name].strip().lower())
    if word not in _YES and word not in _NO:
        faults[name] = problems.UNREADABLE_FLAG
    return word in _YES


def _bucket(age: str, name: str, faults: Faults) -> str:
    years = re.fullmatch(r"(\d{1,3})(\.\d*)?", age)
    if not years or int(years[1]) > _OLDEST:
        if age:
            faults[name] = problems.UNREADABLE_AGE
        return ""
    return _AGE_BUCKETS[max(start for start in _AGE_BUCKETS if start <= int(years[1]))]
