"""Makes the features of movies and users out of the cells that describe them."""

import re

from components.example_gen.read import problems
from components.example_gen.read.typed import LIST
from schemas.source_parts import Cell, Genres
from schemas.source_tables import Credits, Movies, Users

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

RowCells = dict[str, str]
Features = dict[str, str | int | list[str]]
Faults = dict[str, str]


def movie_title(cells: RowCells) -> str:
    """The title, or the one that stands in for it, or ''."""
    return cells["movie_title"] or cells.get("fallback_title", "")


def movie_features(table: Movies, cells: RowCells, faults: Faults) -> Features:
    """Title, year (0 unknown), genres, and director and star ('' unknown) of a movie's row.

    Args:
      table: what its cells mean.
      cells: of the row.
      faults: gets the reason for each column whose cell says something that cannot be read.
    """
    text = _cell_text(table.year, "year", cells, faults)
    year = re.fullmatch(r"(\d{1,4})(\.0*)?", text)
    known = year is not None and int(year[1]) <= _LAST_YEAR
    if text and not known:
        faults["year"] = problems.UNREADABLE_YEAR
    return {
        "movie_title": movie_title(cells),
        "year": int(year[1]) if year and known else 0,
        "genres": _genres(table.genres, cells, faults),
        **people(table, cells, faults),
    }


def people(table: Movies | Credits, cells: RowCells, faults: Faults) -> Features:
    """Director and star ('' unknown) of a row; see `movie_features`."""
    names = ("director", "star")
    return {name: _cell_text(getattr(table, name), name, cells, faults) for name in names}


def user_features(table: Users, cells: RowCells, faults: Faults) -> Features:
    """Those of gender, age (a bucket) and occupation that the table has ('' unknown).

    A code that `values` lacks stays as it is; it counts as a fault, see `movie_features`.
    """
    features: Features = {}
    for name in ("gender", "age", "occupation"):
        if name not in cells:
            continue
        words, cell = table.values.get(name, {}), cells[name]
        if cell and words and cell not in words:
            faults[name] = problems.UNMAPPED_VALUE
        features[name] = words.get(cell, cell)
        if name == "age" and table.age_in_years:
            features[name] = _bucket(words.get(cell, cell), faults)
    return features


def _cell_text(cell: Cell | None, name: str, cells: RowCells, faults: Faults) -> str:
    if cell is None or not cell.pattern:
        return cells.get(name, "")
    match = re.search(cell.pattern, cells[name])
    if not match and _says_something(cells[name]):
        faults[name] = problems.NO_MATCH
    return next((group.strip() for group in match.groups() if group), "") if match else ""


def _says_something(cell: str) -> bool:
    """Whether a cell holds more than the brackets of an empty list."""
    return re.search(r"\w", cell) is not None


def _genres(table: Genres | None, cells: RowCells, faults: Faults) -> list[str]:
    if table is None:
        return []
    if table.flags:
        return [genre for genre in table.flags if _flag(f"genres.{genre}", cells, faults)]
    if cells["genres"].startswith(LIST):
        names = cells["genres"].split(LIST)
    elif table.separator:
        names = cells["genres"].split(table.separator)
    else:
        matches = re.finditer(table.pattern or "", cells["genres"])
        names = [next((group for group in match.groups() if group), "") for match in matches]
        if not names and _says_something(cells["genres"]):
            faults["genres"] = problems.NO_MATCH
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _flag(name: str, cells: RowCells, faults: Faults) -> bool:
    """Whether a cell says yes: 1, 1.0, true, t, yes, y, x or on, in any case."""
    word = re.sub(r"^([01])\.0*$", r"\1", cells[name].strip().lower())
    if word not in _YES and word not in _NO:
        faults[name] = problems.UNREADABLE_FLAG
    return word in _YES


def _bucket(age: str, faults: Faults) -> str:
    years = re.fullmatch(r"(\d{1,3})(\.\d*)?", age)
    if not years or int(years[1]) > _OLDEST:
        if age:
            faults["age"] = problems.UNREADABLE_AGE
        return ""
    return _AGE_BUCKETS[max(start for start in _AGE_BUCKETS if start <= int(years[1]))]
