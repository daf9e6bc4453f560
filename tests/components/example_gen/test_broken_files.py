"""Fifty kinds of broken ratings file: each is refused in a sentence, or its bad rows are counted.

Good rows around the bad ones are always kept.
"""

import gzip
import os
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from components.example_gen.read.find import find_files
from components.example_gen.read.problems import Problems
from components.example_gen.read.ranges import plan_ranges
from components.example_gen.read.ratings import read_range
from schemas.errors import UserError
from schemas.source import Source, load_source

HEADER = b"userId,movieId,rating,timestamp\n"
# Two good rows that have to survive whatever stands between them.
FIRST = b"1,10,4.0,964982703\n"
LAST = b"2,20,0.5,964982704\n"
BOTH = [("1", "10"), ("2", "20")]
PACKED = gzip.compress(HEADER + FIRST * 5000 + LAST)


class Case(NamedTuple):
    """A broken file of a source, and what has to come of it: a sentence, or rows and counts."""

    name: str
    data: bytes
    error: str = ""
    dropped: dict[str, int] | None = None
    kept: list[tuple[str, str]] = BOTH
    source: str = "movielens-latest"
    file: str = "ratings.csv"


def bad_line(name: str, line: bytes, reason: str, count: int = 1) -> Case:
    """A line of MovieLens' CSV between two good ones."""
    return Case(name, HEADER + FIRST + line + b"\n" + LAST, dropped={reason: count})


def dat(name: str, line: bytes, reason: str) -> Case:
    """A line of MovieLens 1M between two good ones."""
    data = b"1::10::4::964982703\n" + line + b"\n2::20::1::964982704\n2::20::1::964982704\n"
    kept = [*BOTH, ("2", "20")]
    return Case(
        name, data, dropped={reason: 1}, kept=kept, source="movielens-1m", file="ratings.dat"
    )


def netflix(name: str, data: bytes, **expected: Any) -> Case:
    """A file of the Netflix Prize."""
    return Case(name, data, source="netflix-prize", file="combined_data_1.txt", **expected)


CASES = [
    # Files that cannot be read at all.
    Case("no bytes", b"", "is empty"),
    Case("only blank lines", b"\n\n \n", "is empty"),
    Case("only a byte-order mark", b"\xef\xbb\xbf", "is empty"),
    Case("only a header", HEADER, "has a header but no rows"),
    Case("a header without a line end", HEADER.strip(), "has a header but no rows"),
    Case("a file that is not there", b"", "has no ratings.csv", file="votes.csv"),
    Case("utf-16", (HEADER + FIRST).decode().encode("utf-16"), "is UTF-16 text"),
    Case("utf-16 without a mark", (HEADER + FIRST).decode().encode("utf-16-le"), "not a text file"),
    Case("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "not a text file"),
    Case("packed without .gz in its name", PACKED, "has to end in .gz"),
    Case("text named .gz", HEADER + FIRST, "broken gzip", file="ratings.csv.gz"),
    Case("gzip of nothing", gzip.compress(b""), "is empty", file="ratings.csv.gz"),
    Case("no bytes named .gz", b"", "is empty", file="ratings.csv.gz"),
    Case("gzip cut in its header", PACKED[:6], "broken gzip", file="ratings.csv.gz"),
    Case("gzip cut in its data", PACKED[:-60], "broken gzip", file="ratings.csv.gz"),
    Case("gzip with a wrong sum", PACKED[:-8] + b"12345678", "broken gzip", file="ratings.csv.gz"),
    Case(
        "gzip with spoilt data",
        PACKED[:40] + b"\xff" * 30 + PACKED[70:],
        "broken gzip",
        file="ratings.csv.gz",
    ),
    Case("bare carriage returns", (HEADER + FIRST).replace(b"\n", b"\r"), "bare carriage returns"),
    Case("one line without an end", HEADER[:-1] + b",1" * 50_000, "not a text file of short lines"),
    Case("a line of 17 MiB", HEADER + FIRST + b"1" * (17 << 20), "no line end within 16 MiB"),
    # Files of another format than the source's.
    Case("semicolons", HEADER.replace(b",", b";") + b"1;10;4.0;964982703\n", "';' looks like it"),
    Case("tabs in one column", b"userId movieId\n1 2\n", "is one column when split at ','"),
    Case("no header", FIRST + LAST, "the header has the column userId nowhere"),
    Case("another header", b"user,item,rating,timestamp\n" + FIRST, "column userId nowhere"),
    Case("a header in capitals", HEADER.upper() + FIRST, "USERID, MOVIEID"),
    Case("a column twice", b"userId,movieId,rating,rating,timestamp\n1,2,3,3,4\n", "rating twice"),
    Case("no timestamp column", b"userId,movieId,rating\n1,2,3\n", "timestamp nowhere"),
    Case("a web page", b"<html>\n<body>Not found</body>\n</html>\n", "is one column"),
    Case(
        "commas for ::",
        FIRST + LAST,
        "one column where the description needs 4",
        source="movielens-1m",
        file="ratings.dat",
    ),
    Case(
        "three columns for four",
        b"1\t2\t3\n1\t3\t4\n",
        "3 columns where the description needs 4",
        source="movielens-100k",
        file="u.data",
    ),
    netflix("blocks without a movie", b"5,3,2005-09-06\n", error="`1:` has to come first"),
    netflix("blocks of another separator", b"1:\n5;3;2005-09-06\n", error="one column"),
    # Single bad rows.
    bad_line("too few columns", b"1,30,4.0", "wrong_column_count"),
    bad_line("too many columns", b"1,30,4.0,964982703,x", "wrong_column_count"),
    bad_line("a decimal comma", b"1,30,4,0,964982703", "wrong_column_count"),
    bad_line("a sentence", b"# this is a remark", "wrong_column_count"),
    bad_line("the header again", HEADER.strip(), "unreadable_number"),
    bad_line("no user", b",30,4.0,964982703", "missing_field"),
    bad_line("a blank user", b"  ,30,4.0,964982703", "missing_field"),
    bad_line("no movie", b"1,,4.0,964982703", "missing_field"),
    bad_line("no rating", b"1,30,,964982703", "missing_field"),
    bad_line("no timestamp", b"1,30,4.0,", "missing_field"),
    bad_line("an empty row", b",,,", "missing_field"),
    bad_line("empty quotes", b'"","30","4.0","5"', "missing_field"),
    bad_line("a user of a megabyte", b"u" * 1_000_000 + b",30,4.0,964982703", "long_id"),
    bad_line("a movie of 1,001 bytes", b"1," + b"m" * 1001 + b",4.0,964982703", "long_id"),
    bad_line("nan for a user", b"nan,30,4.0,964982703", "null_id"),
    bad_line("NULL for a movie", b"1,NULL,4.0,964982703", "null_id"),
    bad_line("None for a user", b"None,30,4.0,964982703", "null_id"),
    bad_line("the database's null", rb"\N,30,4.0,964982703", "null_id"),
    bad_line("a dash for a movie", b"1,-,4.0,964982703", "null_id"),
    bad_line("n/a in spaces", b" n/a ,30,4.0,964982703", "null_id"),
    bad_line("a quoted nan", b'"NaN",30,4.0,964982703', "null_id"),
    bad_line("a quoted decimal comma", b'1,30,"4,0",964982703', "unreadable_number"),
    bad_line("a word for a rating", b"1,30,good,964982703", "unreadable_number"),
    bad_line("nan", b"1,30,nan,964982703", "unreadable_number"),
    bad_line("infinity", b"1,30,inf,964982703", "unreadable_number"),
    bad_line("an overflow", b"1,30,1e999,964982703", "unreadable_number"),
    bad_line("hexadecimal", b"1,30,0x3,964982703", "unreadable_number"),
    bad_line("a star rating", "1,30,★★★,964982703".encode(), "unreadable_number"),
    bad_line("above the scale", b"1,30,5.5,964982703", "off_scale"),
    bad_line("below the scale", b"1,30,0,964982703", "off_scale"),
    bad_line("a negative rating", b"1,30,-1,964982703", "off_scale"),
    bad_line("ten by an exponent", b"1,30,1e1,964982703", "off_scale"),
    bad_line("a word for a time", b"1,30,4.0,yesterday", "unreadable_timestamp"),
    bad_line("a date for a time", b"1,30,4.0,2005-09-06", "timestamp_in_iso"),
    bad_line("milliseconds for seconds", b"1,30,4.0,964982703000", "timestamp_in_milliseconds"),
    bad_line("a negative time", b"1,30,4.0,-1", "unreadable_timestamp"),
    bad_line("an endless time", b"1,30,4.0," + b"9" * 400, "unreadable_timestamp"),
    bad_line("a hexadecimal time", b"1,30,4.0,0x10", "unreadable_timestamp"),
    bad_line("latin-1 in utf-8", b"Zo\xeb,30,4.0,964982703", "undecodable_text"),
    bad_line("half a character", "Zoë".encode()[:-1] + b",30,4.0,964982703", "undecodable_text"),
    bad_line("a zero byte", b"1\x00,30,4.0,964982703", "undecodable_text"),
    bad_line("a carriage return", b"1,30\r,4.0,964982703", "undecodable_text"),
    bad_line("a quote that never ends", b'"1,30,4.0,964982703', "wrong_column_count"),
    bad_line("a last quote that never ends", b'1,30,4.0,"964982703', "wrong_column_count"),
    bad_line("a quote across lines", b'1,30,4.0,"9649\n82703"', "wrong_column_count", 2),
    bad_line("an open quote twice", b'"1,30,4.0,5\n"1,30,4.0,5', "wrong_column_count", 2),
    bad_line("a wrongly doubled quote", b'"1"",30,4.0,5', "wrong_column_count"),
    bad_line("a quote before the end", b'1,30,4.0,964982703"', "unreadable_timestamp"),
    Case(
        "a last line cut off", HEADER + FIRST + LAST + b"3,30,4", dropped={"wrong_column_count": 1}
    ),
    Case(
        "a first row cut off", HEADER + b"3,30\n" + FIRST + LAST, dropped={"wrong_column_count": 1}
    ),
    dat("single colons", b"1:30:4:964982703", "wrong_column_count"),
    dat("three colons", b"1:::30::4::964982703", "unknown_movie"),
    dat("a decimal comma after ::", b"1::30::4,0::964982703", "unreadable_number"),
    dat("quotes where none are", b'"1"::30::"4"::964982703', "unreadable_number"),
    dat("a stray quote", b'"1::30::9::964982703', "off_scale"),
    dat("the separator's stand-in", b"1\x1f30\x1f4\x1f964982703", "undecodable_text"),
    netflix(
        "a bad date",
        b"10:\n1,3,2005-09-06\n3,3,2005-02-30\n20:\n2,4,2005-09-07\n",
        dropped={"unreadable_timestamp": 1},
    ),
    netflix(
        "a month of 13",
        b"10:\n1,3,2005-09-06\n3,3,2005-13-01\n20:\n2,4,2005-09-07\n",
        dropped={"unreadable_timestamp": 1},
    ),
    netflix(
        "a rating of six",
        b"10:\n1,3,2005-09-06\n3,6,2005-02-03\n20:\n2,4,2005-09-07\n",
        dropped={"off_scale": 1},
    ),
    netflix(
        "a block without a name",
        b"10:\n1,3,2005-09-06\n:\n3,3,2005-02-03\n20:\n2,4,2005-09-07\n",
        dropped={"missing_field": 1},
    ),
    netflix(
        "a movie's line cut off",
        b"10:\n1,3,2005-09-06\n3\n20:\n2,4,2005-09-07\n",
        dropped={"wrong_column_count": 1},
    ),
    netflix("an empty block", b"10:\n1,3,2005-09-06\n15:\n20:\n2,4,2005-09-07\n", dropped={}),
]


def read(source: Source, folder: Path, range_bytes: int) -> tuple[list[tuple[str, str]], Problems]:
    known = pa.array(["10", "20", "30"])
    rows, problems = [], Problems()
    for rng in plan_ranges(source, find_files(source, str(folder))["ratings"], range_bytes):
        for batch in read_range(source, rng, known):
            rows += [(row["user_id"], row["movie_id"]) for row in batch.rows.to_pylist()]
            problems = problems.merge(batch.problems)
    if problems.faults:
        raise UserError(problems.faults[0])
    return rows, problems


@pytest.mark.parametrize("range_bytes", [1, 16 << 20], ids=["small", "whole"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_broken_file_is_told_and_loses_no_good_row(
    tmp_path: Path, case: Case, range_bytes: int
) -> None:
    (tmp_path / case.file).write_bytes(case.data)
    absent = dict.fromkeys(("movies", "users", "links", "credits"))
    source = load_source(case.source).model_copy(update=absent)
    if case.error:
        with pytest.raises(UserError) as error:
            read(source, tmp_path, range_bytes)
        assert case.error in str(error.value)
        assert "\n" not in str(error.value)
        return
    rows, problems = read(source, tmp_path, range_bytes)
    assert rows == case.kept
    assert problems.counts == case.dropped
    assert {sample.reason for sample in problems.samples} == set(problems.counts)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").mkdir()
    with pytest.raises(UserError, match=r"ratings\.csv"):
        plan_ranges(load_source("movielens-latest"), [str(tmp_path / "ratings.csv")])


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv does not exist"):
        plan_ranges(load_source("movielens-latest"), [str(tmp_path / "none.csv")])


@pytest.mark.parametrize("name", ["ratings.csv", "ratings.csv.gz", "ratings.csv.zip"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    source = load_source("movielens-latest")
    with pytest.raises(UserError, match=f"{name} is no file but a pipe"):
        plan_ranges(source, [str(tmp_path / name)])
