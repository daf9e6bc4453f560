"""One table in every format gives the same rows, and what is wrong in a file is told."""

import gzip
import io
import json
import pickle
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.example_gen.read.find import find_files
from components.example_gen.read.ranges import plan_ranges
from components.example_gen.read.tables import MovieTable, read_movies, read_users
from schemas.errors import UserError
from schemas.source import Source
from tests.components.example_gen.read.formats import (
    SECOND,
    as_csv,
    as_json,
    as_parquet,
    own,
    read,
    values,
    zipped,
)

GOOD = {"user": "a", "movie": 7, "stars": 4, "time": 5, "review": ""}


def test_types_of_parquet(tmp_path: Path) -> None:
    times = [1_500_000_000_123_456, 1_600_000_000_000_000]
    kinds: dict[str, list[pa.Array]] = {
        "user": [
            pa.array(["a", "b"]).dictionary_encode(),
            pa.array([b"a", b"b"]),
            pa.array(["a", "b"], pa.large_string()),
            pa.array([b"a", b"b"], pa.binary(1)),
        ],
        "movie": [
            pa.array([7, 8], pa.uint16()),
            pa.array([7.0, 8.0]),
            pa.array([Decimal("7.00"), Decimal("8.00")]),
            pa.array(["7", "8"]),
        ],
        "stars": [
            pa.array([4, 5], pa.int8()),
            pa.array([4, 5], pa.float32()),
            pa.array([Decimal("4.0"), Decimal("5.0")]),
            pa.array(["4.0", "5"]),
        ],
        "time": [
            pa.array(times, pa.timestamp("us")),
            pa.array(times, pa.timestamp("us", "Asia/Tokyo")),
            pa.array([time * 1000 + 999 for time in times], pa.timestamp("ns", "UTC")),
        ],
    }
    first = {name: arrays[0] for name, arrays in kinds.items()}
    results = []
    for name, arrays in kinds.items():
        for array in arrays:
            pq.write_table(
                pa.table(first | {name: array}), tmp_path / "votes.parquet", version="2.6"
            )
            table, problems = read(own("votes.parquet", timestamp="%Y-%m-%d"), tmp_path)
            assert problems.counts == {}
            results.append(values(table))
    text = "".join(f"{u},{m},{s},{t}\n" for u, m, s, t in zip("ab", "78", "45", times, strict=True))
    (tmp_path / "votes.csv").write_text("user,movie,stars,time\n" + text)
    same, _ = read(own("votes.csv").model_copy(update={"ratings": micros()}), tmp_path)
    assert results == [values(same)] * len(results)


def micros() -> Any:
    return own("votes.csv").ratings.model_copy(update={"timestamp": "microseconds"})


def test_days_and_old_timestamps_of_parquet(tmp_path: Path) -> None:
    moment = datetime(2017, 7, 14, tzinfo=timezone.utc)
    shared = {"user": ["a"], "movie": [7], "stars": [4]}
    day = pa.array([moment.date()])
    stamp = pa.array([int(moment.timestamp()) * 10**9], pa.timestamp("ns"))
    found = []
    old: dict[str, Any] = {"use_deprecated_int96_timestamps": True}
    for column, options in ((day, {}), (stamp, old)):
        table = pa.table(shared | {"time": column})
        pq.write_table(table, tmp_path / "votes.parquet", **options)
        found.append(read(own("votes.parquet"), tmp_path)[0]["timestamp"].to_pylist())
    (tmp_path / "votes.csv").write_text(f"user,movie,stars,time\na,7,4,{moment.timestamp():.0f}\n")
    assert found == [read(own("votes.csv"), tmp_path)[0]["timestamp"].to_pylist()] * 2


def test_bad_rows_of_parquet_are_counted_by_their_number(tmp_path: Path) -> None:
    good = {"user": b"a", "movie": 7, "stars": 4.0, "time": 5}
    rows = [dict(good) for _ in range(9)]
    rows[1]["user"], rows[2]["movie"], rows[3]["stars"] = b"\xe9", None, float("nan")
    rows[5]["stars"], rows[6]["time"], rows[8]["user"] = 9.0, -5, b" "
    (tmp_path / "votes.parquet").write_bytes(as_parquet(rows))
    for size in (1, 16 << 20):
        table, problems = read(own("votes.parquet"), tmp_path, size)
        assert table["order"].to_pylist() == [0, 4, 7]
        assert [(s.reason, s.line) for s in problems.samples] == [
            ("missing_field", 3),
            ("missing_field", 4),
            ("missing_field", 9),
            ("off_scale", 6),
            ("undecodable_text", 2),
            ("unreadable_timestamp", 7),
        ]
    latin = own("votes.parquet", encoding="latin-1")
    assert values(read(latin, tmp_path)[0])[1][0] == "é"


@pytest.mark.parametrize("size", [1, 16 << 20])
def test_bad_lines_of_json_are_counted_by_their_number(tmp_path: Path, size: int) -> None:
    good = json.dumps(GOOD).encode()
    lines = [
        good,
        b'{"user": "b", "movie": 7, "stars": 4, "time": 5',
        b"",
        b'{"user": "c", "movie": 7, "stars": "4.0", "time": "5"}  ',
        b'{"user": null, "movie": 7, "stars": 4, "time": 5}',
        b'{"user": "d", "movie": 7, "stars": [4], "time": 5}',
        b'{"user": "\xff", "movie": 7, "stars": 4, "time": 5}',
        b'{"user": "e\\u0000", "movie": 7, "stars": 4, "time": 5}',
        b"[1, 2, 3, 4]",
        b'{"user": 12, "movie": 7.0, "stars": 4.5, "time": 5.0, "user": 13}',
        good + good,
        b'{"stars": 4, "time": 5}',
    ]
    (tmp_path / "votes.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    table, problems = read(own("votes.jsonl"), tmp_path, size)
    assert values(table) == [
        ("a", "7", 4, 5 * SECOND),
        ("c", "7", 4, 5 * SECOND),
        ("13", "7", 4.5, 5 * SECOND),
    ]
    assert sorted((s.line, s.reason) for s in problems.samples) == [
        (2, "unreadable_json"),
        (5, "missing_field"),
        (6, "unreadable_number"),
        (7, "undecodable_text"),
        (8, "undecodable_text"),
        (9, "unreadable_json"),
        (11, "unreadable_json"),
        (12, "missing_field"),
    ]


ROWS = [GOOD] * 40
PARQUET = as_parquet(ROWS)
PACKED = zipped("votes.csv", as_csv(ROWS))
BROKEN = {
    "no column": ("v.parquet", as_parquet([{"user": 1}]), "the column movie nowhere"),
    "no key": ("v.jsonl", b'{"user": 1, "film": 2}\n', "the column movie nowhere"),
    "a column of durations": (
        "v.parquet",
        as_parquet([GOOD | {"time": datetime.max - datetime.min}]),
        "the column time is of type duration",
    ),
    "text named .parquet": ("v.parquet", as_csv(ROWS), "no Parquet file that can be read"),
    "parquet cut off": ("v.parquet", PARQUET[:-9], "no Parquet file that can be read"),
    "parquet with spoilt data": (
        "v.parquet",
        PARQUET[:20] + b"\xff" * 60 + PARQUET[80:],
        "no Parquet file that can be read",
    ),
    "parquet with a spoilt footer": (
        "v.parquet",
        PARQUET[:-60] + b"\xff" * 40 + PARQUET[-20:],
        "no Parquet file that can be read",
    ),
    "parquet named .csv": ("v.csv", PARQUET, "its name has to end in .parquet"),
    "no bytes of parquet": ("v.parquet", b"", "v.parquet"),
    "parquet without rows": ("v.parquet", as_parquet(ROWS)[:0] or b"", "v.parquet"),
    "an array of json": ("v.json", json.dumps(ROWS).encode(), "write one object a line"),
    "json over lines": ("v.json", json.dumps(GOOD, indent=1).encode(), "one object a line"),
    "csv named .jsonl": ("v.jsonl", as_csv(ROWS), "does not hold a JSON object"),
    "json named .csv": ("v.csv", b'{"user": 1}\n', "looks like JSON lines"),
    "a zip named .csv": ("v.csv", PACKED, "its name has to end in .zip"),
    "a zip cut off": ("v.zip", PACKED[:-30], "broken zip"),
    "a zip with spoilt data": ("v.zip", PACKED[:60] + b"\xff" * 20 + PACKED[80:], "broken zip"),
    "text named .zip": ("v.zip", as_csv(ROWS), "broken zip"),
    "no bytes named .zip": ("v.zip", b"", "broken zip"),
    "a zip of two": ("v.zip", zipped("a.csv", b"", **{"b.csv": b""}), "holds a.csv, b.csv"),
    "a zip of none": ("v.zip", zipped("__MACOSX/a.csv", b""), "holds nothing"),
    "a zip in a zip": ("v.zip", zipped("v.csv.gz", b""), "unpack it first"),
    # The bit that says so is set in the two places where a zip archive has it.
    "an encrypted zip": (
        "v.zip",
        PACKED.replace(b"PK\3\4\x14\0\0", b"PK\3\4\x14\0\1").replace(
            b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"
        ),
        "is encrypted",
    ),
}


@pytest.mark.parametrize(("name", "data", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_broken_is_named(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as error:
        _, problems = read(own(name), tmp_path)
        raise UserError(problems.faults[0] if problems.faults else f"read: {problems}")
    assert message in str(error.value)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_positions_are_no_names(tmp_path: Path) -> None:
    columns = {"user_id": 1, "movie_id": 2, "rating": 3}
    (tmp_path / "v.parquet").write_bytes(PARQUET)
    with pytest.raises(UserError, match=r"v\.parquet names its columns: give names"):
        read(own("v.parquet", header=False, columns=columns), tmp_path)


def test_the_format_can_be_told(tmp_path: Path) -> None:
    for number, (kind, data) in enumerate({"jsonl": as_json(ROWS), "parquet": PARQUET}.items()):
        (tmp_path / f"part-{number}").write_bytes(data)
        assert len(read(own(f"part-{number}", format=kind), tmp_path)[0]) == 40


class Trap:
    """What runs code as soon as somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("name", ["v.parquet", "v.parquet.gz"])
def test_a_file_cannot_bring_code_with_it(tmp_path: Path, name: str) -> None:
    mark = tmp_path / "it-ran"
    hidden = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Trap(mark)),
    }
    fields: list[Any] = [pa.field("user", pa.string(), metadata=hidden)]
    fields += [pa.field(n, t) for n, t in (("movie", pa.int64()), ("stars", pa.int64()))]
    table = pa.table(
        [["a"], [7], [4]], schema=pa.schema([*fields, pa.field("time", pa.int64())][:3])
    )
    made = io.BytesIO()
    pq.write_table(table.append_column("time", [[5]]), made)
    data = made.getvalue()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(UserError, match=r"v\.parquet.* can be read: Disallowed"):
        read(own(name), tmp_path)
    assert not mark.exists()


FILMS: list[dict[str, Any]] = [
    {"movie": 1, "title": "One\nTwo", "kinds": ["Drama", "Sci-Fi|Fantasy"], "made": "1999-05-06"},
    {"movie": 2, "title": "Zoë", "kinds": [], "made": None},
]


def films(folder: Path, name: str, data: bytes, **movies: Any) -> MovieTable:
    (folder / name).write_bytes(data)
    (folder / "votes.csv").write_text("x")
    description = {
        "files": name,
        "columns": {"movie_id": "movie", "movie_title": "title"},
        "year": {"column": "made", "pattern": r"^(\d{4})"},
        "genres": {"column": "kinds", "separator": "|"},
    } | movies
    tables = {"ratings": own("votes.csv").ratings, "movies": description}
    source = Source.model_validate({"name": "own", "scale": (1, 5), **tables})
    table = read_movies(source, find_files(source, str(folder)))
    assert table is not None
    return table


@pytest.mark.parametrize("name", ["f.jsonl", "f.json.gz", "f.parquet", "f.zip", "days.parquet"])
def test_movies_in_every_format(tmp_path: Path, name: str) -> None:
    data = {
        "f.jsonl": lambda: as_json(FILMS),
        "f.json.gz": lambda: gzip.compress(as_json(FILMS)),
        "f.parquet": lambda: as_parquet(FILMS),
        "f.zip": lambda: zipped("f.parquet", as_parquet(FILMS)),
        "days.parquet": lambda: as_parquet(
            [row | {"made": row["made"] and datetime(1999, 5, 6)} for row in FILMS]
        ),
    }[name]()
    found = films(tmp_path, name, data)
    assert [tuple(row.values())[:4] for row in found.table.to_pylist()] == [
        ("1", "One Two", 1999, ["Drama", "Sci-Fi|Fantasy"]),
        ("2", "Zoë", 0, []),
    ]
    assert found.problems.counts == {}


def test_bad_movies_of_any_format_are_counted(tmp_path: Path) -> None:
    rows = [*FILMS * 2, {"movie": None, "title": "x"}, {"movie": 3, "title": ""}]
    found = films(tmp_path, "f.jsonl", as_json(rows) + b"{\n")
    counts = {"duplicate_id": 2, "missing_field": 2}
    assert found.problems.counts == counts | {"unreadable_json": 1}
    assert sorted(s.line for s in found.problems.samples) == [3, 4, 5, 6, 7]
    assert films(tmp_path, "f.parquet", as_parquet(rows)).problems.counts == counts


def test_flags_and_people_of_parquet(tmp_path: Path) -> None:
    rows = [{"movie": 1, "title": "One", "Drama": True, "War": False}]
    flags = {"flags": {"Drama": "Drama", "War": "War"}}
    found = films(tmp_path, "f.parquet", as_parquet(rows), genres=flags, year=None)
    assert found.table["genres"].to_pylist() == [["Drama"]]
    (tmp_path / "u.parquet").write_bytes(as_parquet([{"id": 5.0, "sex": "F"}]))
    users = {"files": "u.parquet", "columns": {"user_id": "id", "gender": "sex"}}
    tables = {"ratings": own("votes.csv").ratings, "users": users}
    source = Source.model_validate({"name": "own", "scale": (1, 5), **tables})
    read_in = read_users(source, find_files(source, str(tmp_path)))
    assert read_in is not None
    assert read_in.table.to_pylist() == [{"user_id": "5", "gender": "F"}]


def test_parts_without_rows_are_skipped(tmp_path: Path) -> None:
    text = b"user,movie,stars,time\n"
    parts = {
        "_SUCCESS": b"",
        ".part-1.csv.crc": b"crc\0\0",
        "_committed_1": b"{}",
        "part-0.csv": text,
        "part-1.csv": text + b"a,7,4,5\n",
        "part-2.csv": b"",
        "part-3.csv": text + b"b,7,4,5\n",
    }
    for name, data in parts.items():
        (tmp_path / name).write_bytes(data)
    source = own("*")
    paths = find_files(source, str(tmp_path))["ratings"]
    assert [path.rsplit("/", 1)[1] for path in paths] == [
        "_SUCCESS",
        *(f"part-{number}.csv" for number in range(4)),
    ]
    ranges = plan_ranges(source, paths)
    assert [(rng.path.rsplit("/", 1)[1], rng.file_index) for rng in ranges] == [
        ("part-1.csv", 0),
        ("part-3.csv", 1),
    ]
    assert values(read(source, tmp_path)[0]) == [
        ("a", "7", 4, 5 * SECOND),
        ("b", "7", 4, 5 * SECOND),
    ]
    with pytest.raises(UserError, match="has a header but no rows"):
        plan_ranges(source, [str(tmp_path / "part-0.csv"), str(tmp_path / "part-2.csv")])


def test_empty_parts_of_the_movies(tmp_path: Path) -> None:
    (tmp_path / "f-0.csv").write_text("movie,title,kinds,made\n")
    found = films(tmp_path, "f-1.csv", b"movie,title,kinds,made\n1,One,Drama,\n", files="f-*")
    assert (len(found.table), found.problems.empty) == (1, 1)
    with pytest.raises(UserError, match=r"f-\d.csv has a header but no rows"):
        films(tmp_path, "f-1.csv", b"movie,title,kinds,made\n", files="f-*")
