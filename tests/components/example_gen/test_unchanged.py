"""The Examples of small sources with everything in them, byte for byte as they have always been.

Every run of these tests has a hash seed of its own: what follows the order of a set would show.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from schemas.source import load_source
from tests.golden import check

USERS, MOVIES = 30, 41
LOOSE = {"max_bad_share": 0.5}
SHORT = {"history_length": 7, "window_length": 5}
KINDS: dict[str, dict[str, Any]] = {
    "temporal": {},
    "random": {"kind": "random", "valid": 0.2, "eval": 0.2, "seed": 7},
    "leave_last_n": {"kind": "leave_last_n", "n": 2},
    "predefined": {"kind": "predefined", "train": "train.csv", "eval": "eval.csv"},
}
RATED = """
scale: [1, 5]
ratings:
  files: ratings-*.csv
  columns: {user_id: user, movie_id: movie, rating: mark, timestamp: when}
  unrated: ['-1']
links:
  files: links.csv
  columns: {movie_id: movie, linked_id: film}
movies:
  files: films.csv
  nulls: [(none)]
  columns: {movie_id: film, movie_title: title}
  year: {column: title, pattern: '\\((\\d{4})\\)$'}
  genres: {column: genres, separator: '|'}
credits:
  files: credits.csv
  columns: {movie_id: film}
  director: {column: crew, pattern: 'by ([^;]*)'}
  star: {column: cast}
users:
  files: people.csv
  columns: {user_id: user, gender: sex, age: years, occupation: job}
  age_in_years: true
  values:
    gender: {F: female, M: male}
    occupation: {0: other, 1: writer, 2: lawyer}
"""
SEEN = """
ratings:
  files: events.jsonl
  columns: {user_id: who, movie_id: what, timestamp: when}
  timestamp: iso
"""
# One row of each kind that is left out: by its cells, its movie, or another row of the same pair.
BAD = [
    ",m1,3,1000000000",
    "u1,m2,9,1000000000",
    "u1,m2,three,1000000000",
    "u2,m3,3,yesterday",
    "u3,gone,3,1000000000",
    "u4,m40,3,1000000000",
    "u1,m5",
]


def _events() -> list[tuple[str, str, str, int]]:
    """User, movie, mark and second; two events each share a day, and each ninth is unrated."""
    return [
        (
            f"u{user}",
            f"m{(user * 7 + i * 11) % (MOVIES - 1)}",
            str(1 + (user * 3 + i * 5) % 5) if (user + i) % 9 else "-1",
            1_000_000_000 + (user * 13 + i // 2 * 29) % 97 * 86_400,
        )
        for user in range(USERS)
        for i in range(6 + user % 11)
    ]


def _write(path: Path, header: str, lines: list[str]) -> None:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")


def _write_films(folder: Path) -> None:
    films, years = range(MOVIES), [f" ({1930 + 2 * n})" if n % 8 else "" for n in range(MOVIES)]
    genres = ["(none)", "Drama", "Comedy|Drama", "Sci-Fi|War|Comedy"]
    _write(folder / "links.csv", "movie,film", [f"m{n},{900 + n}" for n in films[:-1]])
    rows = [f'{900 + n},"Film, No. {n}{years[n]}",{genres[n % 4]}' for n in films]
    _write(folder / "films.csv", "film,title,genres", [*rows, ",Nameless,Drama", rows[3]])
    credits = [f'{900 + n},"Star ""{n % 6}""",edited; by Ørn {n % 5}; shot' for n in films[::2]]
    _write(folder / "credits.csv", "film,cast,crew", credits)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "rated.yaml").write_text(RATED, encoding="utf-8")
    (folder / "seen.yaml").write_text(SEEN, encoding="utf-8")
    rows = [f"{user},{movie},{mark},{when}" for user, movie, mark, when in _events()]
    again = [*rows[:2], *(row.rpartition(",")[0] + ",1009000000" for row in rows[5:60:9])]
    header = "user,movie,mark,when"
    _write(folder / "ratings-1.csv", header, [*rows[:150], *BAD])
    _write(folder / "ratings-2.csv", header, [*rows[150:], *again])
    _write(folder / "train.csv", header, [*BAD, *rows[::4], *rows[1::4], *rows[2::4]])
    _write(folder / "eval.csv", header, [*rows[3::4], *again])
    seen = [
        json.dumps(
            {"who": user, "what": f"Žena {movie}", "when": f"2020-01-{when // 86_400 % 28 + 1:02}"}
        )
        for user, movie, _, when in _events()
    ]
    (folder / "events.jsonl").write_text("\n".join([*seen, "{", seen[0]]), encoding="utf-8")
    _write_films(folder)
    people = [f"u{n},{'FMX'[n % 3]},{15 + 3 * n},{n % 4}" for n in range(USERS - 2)]
    _write(folder / "people.csv", "user,sex,years,job", [*people, ",F,20,1"])
    return folder


def _made(data: Path, source: str, out: Path, **split: Any) -> dict[str, Any]:
    """The content of rows.json and the hash of every file; where the data lie is left out."""
    config = SplitConfig(**LOOSE, **SHORT, **split)
    uris = str(out / "examples"), str(out / "catalogue")
    generate(load_source(str(data / f"{source}.yaml")), config, str(data), *uris)
    files = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.*")}
    name = "examples/rows.json"
    files[name] = files[name].replace(f"{data}/".encode(), b"")
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return {"files": hashes, "rows": json.loads(files[name])}


@pytest.mark.parametrize("kind", KINDS)
def test_examples_of_ratings(data: Path, tmp_path: Path, kind: str) -> None:
    check(f"examples_{kind}", _made(data, "rated", tmp_path, **KINDS[kind]))


@pytest.mark.parametrize("kind", ["temporal", "random"])
def test_examples_without_ratings(data: Path, tmp_path: Path, kind: str) -> None:
    check(f"examples_{kind}_without_ratings", _made(data, "seen", tmp_path, **KINDS[kind]))
