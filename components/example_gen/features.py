"""Makes the features of movies and users out of the cells that describe them."""

import re

from components.example_gen.typed import LIST
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

Cells = dict[str, str]
Features = dict[str, str | int | list[str]]


def movie_title(cells: Cells) -> str:
    """The title, or the one that stands in for it, or ''."""
    return cells["movie_title"] or cells.get("fallback_title", "")


def movie_features(table: Movies, cells: Cells) -> Features:
    """Title, year (0 unknown), genres, and director and star ('' unknown) of a movie's row."""
    year = re.fullmatch(r"(\d{1,4})(\.0*)?", _found(table.year, "year", cells))
    return {
        "movie_title": movie_title(cells),
        "year": int(year[1]) if year else 0,
        "genres": _genres(table.genres, cells),
        **people(table, cells),
    }


def people(table: Movies | Credits, cells: Cells) -> Features:
    """Director and star ('' unknown) of a row."""
    return {name: _found(getattr(table, name), name, cells) for name in ("director", "star")}


def user_features(table: Users, cells: Cells) -> Features:
    """Those of gender, age (a bucket) and occupation that the table has ('' unknown)."""
    features: Features = {}
    for name in ("gender", "age", "occupation"):
        if name in cells:
            value = table.values.get(name, {}).get(cells[name], cells[name])
            features[name] = _bucket(value) if name == "age" and table.age_in_years else value
    return features


def _found(cell: Cell | None, name: str, cells: Cells) -> str:
    if cell is None or not cell.pattern:
        return cells.get(name, "")
    found = re.search(cell.pattern, cells[name])
    return next((group.strip() for group in found.groups() if group), "") if found else ""


def _genres(table: Genres | None, cells: Cells) -> list[str]:
    if table is None:
        return []
    if table.flags:
        return [genre for genre in table.flags if cells[f"genres.{genre}"] == "1"]
    if cells["genres"].startswith(LIST):
        names = cells["genres"].split(LIST)
    elif table.separator:
        names = cells["genres"].split(table.separator)
    else:
        found = re.finditer(table.pattern or "", cells["genres"])
        names = [next((group for group in match.groups() if group), "") for match in found]
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _bucket(age: str) -> str:
    years = re.fullmatch(r"(\d{1,3})(\.\d*)?", age)
    if not years:
        return ""
    return _AGE_BUCKETS[max(start for start in _AGE_BUCKETS if start <= int(years[1]))]
