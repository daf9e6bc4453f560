"""A source with a text for each movie, made of what was known of it before eval begins."""

import csv
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from schemas.source_yaml import read_yaml

SOURCES = Path(__file__).parents[1] / "schemas" / "sources"
EVAL_SHARE = 0.1  # of all ratings: the default of split.eval
TEXT = "words"


class Texts(NamedTuple):
    """Where the source lies, and before which second all that its texts are made of was written."""

    source: Path
    data_dir: Path
    until: int


def with_texts(name: str, data_dir: Path, out: Path) -> Texts:
    """Copies a source's ratings, and its movies with a column of text beside the others.

    A text is the title's words and, where people tag movies, the tags of before eval begins: later
    ones are of people whose ratings are to be predicted.
    """
    described = read_yaml(SOURCES / f"{name}.yaml")
    separator = described["ratings"].get("separator", ",")
    ratings, movies = described["ratings"]["files"], described["movies"]["files"]
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(data_dir / ratings, out / ratings)
    until = eval_begins(out / ratings, separator)
    tags = tags_before(data_dir / "tags.csv", until)
    rows = _read(data_dir / movies, separator)
    header = described["movies"].get("header", "true") == "true"
    for place, row in enumerate(rows):
        row.append(TEXT if header and not place else " ".join([row[1], *tags.get(row[0], [])]))
    _write(out / movies, rows, separator)
    column = TEXT if header else str(len(rows[0]))
    described["movies"]["features"] = {TEXT: {"kind": "text", "column": column}}
    described.pop("aliases", None)
    source = out / f"{name}-texts.yaml"
    source.write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    return Texts(source, out, until)


def eval_begins(ratings: Path, separator: str) -> int:
    """A second by which nine tenths of the ratings were given, or a rating before that."""
    rows = _read(ratings, separator)
    times = [int(row[3]) for row in rows if row[3].isdecimal()]
    return int(np.sort(times)[len(times) - int(len(times) * EVAL_SHARE) - 1])


def tags_before(file: Path, until: int) -> Mapping[str, list[str]]:
    """The tags of each movie that were given before a second; nothing where there is no file."""
    found: dict[str, list[str]] = defaultdict(list)
    if file.exists():
        for _, movie, tag, time in _read(file, ",")[1:]:
            if int(time) < until:
                found[movie].append(tag)
    return found


def _read(path: Path, separator: str) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        if len(separator) > 1:
            return [line.rstrip("\r\n").split(separator) for line in file]
        return list(csv.reader(file, delimiter=separator))


def _write(path: Path, rows: Sequence[Sequence[str]], separator: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        if len(separator) > 1:
            file.writelines(separator.join(row) + "\n" for row in rows)
        else:
            csv.writer(file, delimiter=separator).writerows(rows)
