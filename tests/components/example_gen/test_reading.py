"""Ratings of every source, in every variation of their format, cut into any ranges."""

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.read.find import find_files
from components.example_gen.read.problems import Problems, resolve_lines
from components.example_gen.read.ranges import plan_ranges
from components.example_gen.read.ratings import SCHEMA, read_range
from components.examples.arrow import filled
from schemas.source import Source, load_source

DATA = Path(__file__).parents[3] / "data" / "ml-latest-small"
LATEST = b"userId,movieId,rating,timestamp\n"

Row = tuple[str, str, float, int | None]


def read(
    source: Source,
    folder: Path,
    range_bytes: int = 16 << 20,
    known: list[str] | None = None,
) -> tuple[pa.Table, Problems, int]:
    """All rows, the problems with the files' own line numbers, and the lines read."""
    movies = None if known is None else pa.array(known, pa.string())
    rows, problems, lines = [SCHEMA.empty_table()], Problems(), {}
    for rng in plan_ranges(source, find_files(source, str(folder))["ratings"], range_bytes):
        lines[rng.path, rng.start] = 0
        for batch in read_range(source, rng, movies):
            rows.append(pa.Table.from_batches([batch.rows]))
            problems = problems.merge(batch.problems)
            lines[rng.path, rng.start] += batch.lines
    return pa.concat_tables(rows), resolve_lines(problems, lines), sum(lines.values())


def values(table: pa.Table) -> list[Row]:
    """User, movie, rating and time of each row, in seconds."""
    columns = [table[name].to_pylist() for name in ("user_id", "movie_id", "rating", "timestamp")]
    return [(*row, t if t is None else t / 1e6) for *row, t in zip(*columns, strict=True)]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


# Each source's ratings in its original form, with what they say.
ORIGINALS: list[tuple[str, dict[str, bytes], list[Row]]] = [
    (
        "movielens-100k",
        {"u.data": b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n"},
        [("196", "242", 3, 881250949), ("186", "302", 3, 891717742)],
    ),
    (
        "movielens-1m",
        {"ratings.dat": b"1::1193::5::978300760\n1::661::3::978302109\n"},
        [("1", "1193", 5, 978300760), ("1", "661", 3, 978302109)],
    ),
    (
        "movielens-1m-tmdb",
        {"ratings.dat": b"1::1193::5::978300760\n1::661::3::978302109\n"},
        [("1", "1193", 5, 978300760), ("1", "661", 3, 978302109)],
    ),
    (
        "movielens-10m",
        {"ratings.dat": b"1::122::5::838985046\n2::110::4.5::868245777\n"},
        [("1", "122", 5, 838985046), ("2", "110", 4.5, 868245777)],
    ),
    (
        "movielens-latest",
        {"ratings.csv": LATEST + b"1,1,4.0,964982703\n1,3,0.5,964981247\n"},
        [("1", "1", 4, 964982703), ("1", "3", 0.5, 964981247)],
    ),
    (
        "movielens-32m",
        {"ratings.csv": LATEST + b"1,17,4.0,944249077\n"},
        [("1", "17", 4, 944249077)],
    ),
    (
        "movietweetings",
        {"ratings.dat": b"1::0114508::0::1381006850\n2::0208092::10::1586466072\n"},
        [("1", "0114508", 0, 1381006850), ("2", "0208092", 10, 1586466072)],
    ),
    (
        "netflix-prize",
        {
            "combined_data_1.txt": b"1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n"
            b"2:\n6,4,1999-12-31\n",
            "combined_data_2.txt": b"4500:\n2532865,4,2005-07-26\n",
            "mv_0000001.txt": b"1:\n7,1,2000-01-01\n",
        },
        [
            ("1488844", "1", 3, 1125964800),
            ("822109", "1", 5, 1115942400),
            ("6", "2", 4, 946598400),
            ("2532865", "4500", 4, 1122336000),
        ],
    ),
    (
        "netflix-prize",
        {
            "mv_0000001.txt": b"1:\n1488844,3,2005-09-06\n",
            "mv_0000002.txt": b"2:\n6,4,1999-12-31\n",
        },
        [("1488844", "1", 3, 1125964800), ("6", "2", 4, 946598400)],
    ),
    (
        "netflix-csv",
        {"Netflix_Dataset_Rating.csv": b"User_ID,Rating,Movie_ID\n712664,5,3\n1331154,4,3\n"},
        [("712664", "3", 5, None), ("1331154", "3", 4, None)],
    ),
    (
        "the-movies-dataset",
        {"ratings_small.csv": LATEST + b"1,31,2.5,1260759144\n"},
        [("1", "31", 2.5, 1260759144)],
    ),
    (
        "the-movies-dataset",
        {
            "ratings.csv": LATEST + b"1,110,1.0,1425941529\n",
            "ratings_small.csv": LATEST + b"1,31,2.5,1260759144\n",
        },
        [("1", "110", 1.0, 1425941529)],
    ),
]


def only_ratings(name: str) -> Source:
    """The source without the tables that a test of ratings does not write."""
    absent = dict.fromkeys(("movies", "users", "links", "credits"))
    return load_source(name).model_copy(update=absent)


@pytest.mark.parametrize(("name", "files", "expected"), ORIGINALS)
def test_a_source_in_its_original_form(
    tmp_path: Path, name: str, files: dict[str, bytes], expected: list[Row]
) -> None:
    table, problems, _ = read(only_ratings(name), write(tmp_path, files))
    assert table.schema == SCHEMA
    assert values(table) == expected
    assert problems == Problems()


@pytest.mark.parametrize(("name", "files", "expected"), ORIGINALS)
def test_a_source_packed_by_gzip(
    tmp_path: Path, name: str, files: dict[str, bytes], expected: list[Row]
) -> None:
    packed = {f"{file}.gz": gzip.compress(data) for file, data in files.items()}
    table, problems, _ = read(only_ratings(name), write(tmp_path, packed), range_bytes=4)
    assert values(table) == expected
    assert problems == Problems()


@pytest.mark.parametrize(("name", "files", "expected"), ORIGINALS)
@pytest.mark.parametrize("range_bytes", [1, 7, 30])
def test_a_source_in_small_ranges(
    tmp_path: Path, name: str, files: dict[str, bytes], expected: list[Row], range_bytes: int
) -> None:
    table, problems, _ = read(only_ratings(name), write(tmp_path, files), range_bytes)
    assert values(table) == expected
    assert problems == Problems()


# Variations of the same two ratings in MovieLens' CSV.
TWO: list[Row] = [("1", "31", 2.5, 1260759144), ("2", "0031", 4, 1260759179)]
VARIATIONS = {
    "crlf": b"userId,movieId,rating,timestamp\r\n1,31,2.5,1260759144\r\n2,0031,4,1260759179\r\n",
    "crcrlf": b"userId,movieId,rating,timestamp\r\r\n1,31,2.5,1260759144\r\r\n"
    b"2,0031,4,1260759179\r\r\n",
    "byte-order mark": b"\xef\xbb\xbf" + LATEST + b"1,31,2.5,1260759144\n2,0031,4,1260759179\n",
    "mark and crlf": b"\xef\xbb\xbfuserId,movieId,rating,timestamp\r\n1,31,2.5,1260759144\r\n"
    b"2,0031,4,1260759179",
    "quoted header": b'"userId","movieId","rating","timestamp"\n1,31,2.5,1260759144\n'
    b"2,0031,4,1260759179\n",
    "header with spaces": b"userId, movieId, rating , timestamp\n1,31,2.5,1260759144\n"
    b"2,0031,4,1260759179\n",
    "quoted cells": LATEST + b'"1","31","2.5","1260759144"\n"2","0031","4","1260759179"\n',
    "quotes after spaces": LATEST + b'"1", "31", "2.5", "1260759144"\n2, "0031" ,4, 1260759179\n',
    "spaces": LATEST + b" 1, 31 ,2.5 ,1260759144 \n2\t,0031,\t4,1260759179\n",
    "no-break spaces": LATEST + "1,\u00a031,2.5,1260759144\n2,0031,4\u00a0,1260759179\n".encode(),
    "other order": b"timestamp,rating,movieId,userId\n1260759144,2.5,31,1\n1260759179,4,0031,2\n",
    "more columns": b"id,userId,tag,movieId,rating,timestamp\n7,1,x,31,2.5,1260759144\n"
    b'8,2,"a,b",0031,4,1260759179\n',
    "no last line end": LATEST + b"1,31,2.5,1260759144\n2,0031,4,1260759179",
    "blank lines": b"\n" + LATEST + b"\n1,31,2.5,1260759144\n  \n\n2,0031,4,1260759179\n\n\n",
    "blank crlf lines": LATEST + b"1,31,2.5,1260759144\r\n\r\n2,0031,4,1260759179\r\n\r\n",
    "times with a fraction": LATEST + b"1,31,2.5,1260759144.0\n2,0031,4.0,1260759179.000\n",
    "numbers with an exponent": LATEST + b"1,31,25e-1,1260759144\n2,0031,.4e1,1.260759179e9\n",
}


@pytest.mark.parametrize("data", VARIATIONS.values(), ids=VARIATIONS)
@pytest.mark.parametrize("range_bytes", [1, 5, 40, 1 << 20])
def test_a_variation_reads_the_same(tmp_path: Path, data: bytes, range_bytes: int) -> None:
    folder = write(tmp_path, {"ratings.csv": data})
    table, problems, lines = read(only_ratings("movielens-latest"), folder, range_bytes)
    assert values(table) == TWO
    assert problems == Problems()
    assert lines == len(data.removesuffix(b"\n").split(b"\n"))


def own(**ratings: Any) -> Source:
    """A source of a user's own, ratings only."""
    columns = {"user_id": "user", "movie_id": "film", "rating": "stars", "timestamp": "time"}
    table = {"files": "votes.csv", "columns": columns} | ratings
    return Source.model_validate({"name": "own", "scale": (1, 5), "ratings": table})


def test_times_keep_what_the_source_has(tmp_path: Path) -> None:
    data = b"user,film,stars,time\na,b,3,1260759144999\na,c,3,1260759145000\n"
    table, _, _ = read(own(timestamp="milliseconds"), write(tmp_path, {"votes.csv": data}))
    assert table["timestamp"].to_pylist() == [1260759144_999_000, 1260759145_000_000]


def test_dates_of_a_format(tmp_path: Path) -> None:
    data = b"user,film,stars,time\na,b,3,06.09.2005 10:11:12\na,c,3,6.9.2005 0:00:00\n"
    source = own(timestamp="%d.%m.%Y %H:%M:%S")
    table, problems, _ = read(source, write(tmp_path, {"votes.csv": data}))
    assert table["timestamp"].to_pylist() == [1126001472_000_000, 1125964800_000_000]
    assert problems == Problems()


def test_a_separator_of_more_bytes_in_latin_1(tmp_path: Path) -> None:
    data = 'user§film§stars§time\nZo\u00eb§"b"§3§5\n'.encode("latin-1")
    source = own(separator="§", quoting=False, encoding="latin-1")
    table, _, _ = read(source, write(tmp_path, {"votes.csv": data}))
    assert values(table) == [("Zo\u00eb", '"b"', 3, 5)]


def test_ids_of_any_alphabet_in_double_byte_text(tmp_path: Path) -> None:
    data = "user|film|stars|time\n\u30bd\u8868|\u4e03\u4eba\u306e\u4f8d|5|7\n".encode("shift_jis")
    source = own(separator="|", encoding="shift_jis")
    table, _, _ = read(source, write(tmp_path, {"votes.csv": data}))
    assert values(table) == [("\u30bd\u8868", "\u4e03\u4eba\u306e\u4f8d", 5, 7)]


def test_null_words_are_missing_fields(tmp_path: Path) -> None:
    data = b"user,film,stars,time\na,b,3,1\na,\\N,3,1\nNULL,b,3,1\na,b,NULL,1\na,b,3,\\N\n"
    folder = write(tmp_path, {"votes.csv": data})
    table, problems, _ = read(own(nulls=["NULL", "\\N"]), folder)
    assert values(table) == [("a", "b", 3, 1)]
    assert problems.counts == {"missing_field": 4}


def test_unknown_movies_are_counted_with_their_line(tmp_path: Path) -> None:
    data = LATEST + b"1,31,2.5,5\n1,7,2.5,5\n1,031,2.5,5\n2,31,3,6\n"
    folder = write(tmp_path, {"ratings.csv": data})
    table, problems, _ = read(only_ratings("movielens-latest"), folder, known=["31"])
    assert values(table) == [("1", "31", 2.5, 5), ("2", "31", 3, 6)]
    assert problems.counts == {"unknown_movie": 2}
    assert [(s.line, s.text) for s in problems.samples] == [(3, "1,7,2.5,5"), (4, "1,031,2.5,5")]


def test_order_grows_over_all_files(tmp_path: Path) -> None:
    names = [f"mv_{number:07}.txt" for number in range(1, 13)]
    folder = write(tmp_path, dict.fromkeys(names, b"3:\n7,1,2000-01-01\n8,2,2000-01-01\n"))
    table, _, _ = read(only_ratings("netflix-prize"), folder, range_bytes=10)
    order = filled(table["order"])
    assert len(order) == 24
    assert all(a < b for a, b in pairwise(order))


def test_a_fault_met_while_reading_is_carried_as_data(tmp_path: Path) -> None:
    packed = gzip.compress(LATEST + b"".join(b"1,%d,2.5,5\n" % n for n in range(200_000)))
    folder = write(tmp_path, {"ratings.csv.gz": packed[:-100]})
    table, problems, _ = read(only_ratings("movielens-latest"), folder)
    assert len(table) > 0
    assert len(problems.faults) == 1
    assert "broken gzip" in problems.faults[0]


def test_a_file_of_many_pieces(tmp_path: Path) -> None:
    rows = [f"{n % 977},{n},{n % 9 / 2 + 0.5},{n}" for n in range(300_000)]
    rows[123_456] = "1,2,3"
    data = LATEST + "\n".join(rows).encode()
    folder = write(tmp_path, {"ratings.csv": data, "other.gz": b""})
    plain, problems, lines = read(only_ratings("movielens-latest"), folder)
    assert plain["movie_id"].to_pylist() == [str(n) for n in range(300_000) if n != 123_456]
    assert (problems.samples[0].line, lines) == (123_458, 300_001)
    (folder / "ratings.csv").unlink()
    (folder / "ratings.csv.gz").write_bytes(gzip.compress(data, 1))
    packed, found, _ = read(only_ratings("movielens-latest"), folder)
    assert packed == plain
    assert found.samples[0].line == 123_458


def test_the_embedded_data_reads_whole() -> None:
    table, problems, lines = read(load_source("movielens-latest"), DATA)
    assert (len(table), lines, problems) == (100_836, 100_837, Problems())
    pieces, problems, lines = read(load_source("movielens-latest"), DATA, range_bytes=300_000)
    assert (lines, problems) == (100_837, Problems())
    assert pieces == table


# Files of good lines among lines of any kind of rubbish.
RUBBISH = st.one_of(
    st.text(st.sampled_from('1234,,,:"": x.é\r\t'), max_size=24).map(str.encode),
    st.sampled_from([b"1,\xff\xfe", b"1,2,\x00,4", b"1::2::\x1f::4", b"::", b'"', b",,,"]),
)
NUMBER = st.integers(1, 99)
KINDS = {
    "movielens-latest": (
        "ratings.csv",
        b"userId,movieId,rating,timestamp",
        st.builds(lambda u, m: b'%d,"%d",3.5,978300760' % (u, m), NUMBER, NUMBER),
    ),
    "movielens-1m": (
        "ratings.dat",
        b"1::1::1::1",
        st.builds(lambda u, m: b"%d::%d::3::978300760" % (u, m), NUMBER, NUMBER),
    ),
    "netflix-prize": (
        "mv_1.txt",
        b"1:",
        st.one_of(
            st.builds(lambda u: b"%d,3,2005-09-06" % u, NUMBER),
            st.builds(lambda m: b"%d: " % m, NUMBER),
        ),
    ),
}


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """The source's name, the file's name and its bytes; most lines are good."""
    name = draw(st.sampled_from(sorted(KINDS)))
    file, first, good = KINDS[name]
    lines = draw(st.lists(st.one_of(good, RUBBISH), max_size=8))
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    fill = {"movielens-1m": b"5::6::3::7", "netflix-prize": b"5,3,2005-09-06"}
    rest = [fill.get(name, b"5,6,3,7")] * (len(lines) + 2)
    text = end.join([first, *lines, *rest]) + draw(st.sampled_from([b"", end]))
    return name, file, mark + text


@given(made=files(), range_bytes=st.integers(1, 200))
def test_any_ranges_give_the_same(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[str, str, bytes], range_bytes: int
) -> None:
    name, file, data = made
    folder = write(tmp_path_factory.mktemp("any"), {file: data})
    whole = read(only_ratings(name), folder)
    cut = read(only_ratings(name), folder, range_bytes)
    assert cut == whole
    assert whole[2] == len(data.removesuffix(b"\n").split(b"\n"))


@given(made=files())
def test_every_line_is_kept_counted_or_blank(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[str, str, bytes]
) -> None:
    name, file, data = made
    table, problems, _ = read(
        only_ratings(name), write(tmp_path_factory.mktemp("any"), {file: data})
    )
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines = [line for line in lines if line.strip(b" \t\r")]
    if name == "movielens-latest":
        lines = lines[1:]
    if name == "netflix-prize":
        lines = [line for line in lines if b"," in line or not line.rstrip().endswith(b":")]
    assert len(table) + sum(problems.counts.values()) == len(lines)
