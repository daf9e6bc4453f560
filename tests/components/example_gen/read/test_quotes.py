"""Quoted cells over several lines, and quotes that are not closed, in ratings and beside them."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.example_gen.read.find import find_files
from components.example_gen.read.problems import Problems, resolve_lines
from components.example_gen.read.ranges import plan_ranges
from components.example_gen.read.ratings import read_range
from components.example_gen.read.tables import MovieTable, read_movies
from schemas.errors import UserError
from schemas.source import Source

COLUMNS = {"user_id": "user", "movie_id": "movie", "rating": "stars", "timestamp": "time"}
HEADER = "user,movie,stars,time,review\n"
MOVIES = {"files": "films.csv", "columns": {"movie_id": "movie", "movie_title": "title"}}


def reviews(**ratings: Any) -> Source:
    table = {"files": "votes.csv", "columns": COLUMNS} | ratings
    return Source.model_validate({"name": "own", "scale": (1, 5), "ratings": table})


def read(folder: Path, text: str, size: int = 16 << 20, **ratings: Any) -> tuple[Any, Problems]:
    """User, movie and line of each rating, and the problems with the file's own lines."""
    (folder / "votes.csv").write_text(text, newline="")
    source = reviews(**ratings)
    rows, problems = [], Problems()
    lines: dict[tuple[str, int], int] = {}
    for rng in plan_ranges(source, find_files(source, str(folder))["ratings"], size):
        for batch in read_range(source, rng):
            key = rng.path, rng.start
            lines[key] = lines.get(key, 0) + batch.lines
            problems = problems.merge(batch.problems)
            rows += [(row["user_id"], row["movie_id"]) for row in batch.rows.to_pylist()]
    assert problems.faults == []
    assert sum(lines.values()) == len(text.removesuffix("\n").split("\n"))
    return rows, resolve_lines(problems, lines)


def films(folder: Path, text: str, **movies: Any) -> MovieTable:
    (folder / "votes.csv").write_text("user,movie,stars,time\n1,1,1,1\n")
    (folder / "films.csv").write_text(text, newline="")
    tables = {"ratings": reviews().ratings, "movies": MOVIES | movies}
    source = Source.model_validate({"name": "own", "scale": (1, 5), **tables})
    table = read_movies(source, find_files(source, str(folder)))
    assert table is not None
    return table


def places(problems: Problems) -> list[tuple[str, int]]:
    return [(sample.reason, sample.line) for sample in problems.samples]


REVIEWS = {
    "two lines": '"first\nsecond"',
    "blank lines": '"a\n\n\nb"',
    "windows": '"a\r\nb"',
    "quotes": '"he said ""wow""\nand ""no"""',
    "commas": '"one, two\nthree, four, five, six, seven, eight"',
    "a row inside": '"ends with a number\n7,8,4,1600000000,x"',
    "a quote before the end": '"a\n"""',
    "only line ends": '"\n\n"',
}


@pytest.mark.parametrize("size", [1, 30, 16 << 20])
@pytest.mark.parametrize("review", REVIEWS.values(), ids=REVIEWS)
def test_a_review_of_several_lines_is_one_cell(tmp_path: Path, review: str, size: int) -> None:
    text = HEADER + f"1,10,4,5,{review}\n2,20,4,6,fine\n3,30,4,7,{review}\n4,40,4,8,{review}"
    rows, problems = read(tmp_path, text, size)
    assert rows == [("1", "10"), ("2", "20"), ("3", "30"), ("4", "40")]
    assert problems.counts == {}


def test_a_file_with_nothing_but_our_columns_has_rows_of_one_line(tmp_path: Path) -> None:
    text = 'user,movie,stars,time\n1,10,4,"5\n6"\n2,20,4,6\n'
    assert read(tmp_path, text)[1].counts == {"wrong_column_count": 2}
    rows, problems = read(tmp_path, text, multiline=True)
    assert rows == [("2", "20")]
    assert places(problems) == [("unreadable_timestamp", 2)]


def test_lines_can_be_told_to_be_rows(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, HEADER + '1,10,4,5,"a\nb"\n2,20,4,6,c\n', multiline=False)
    assert rows == [("2", "20")]
    assert places(problems) == [("wrong_column_count", 2), ("wrong_column_count", 3)]


@pytest.mark.parametrize("size", [1, 16 << 20])
def test_an_open_quote_costs_its_own_line_alone(tmp_path: Path, size: int) -> None:
    lines = [f'{n},{n}0,4,5,"a, {n}"' for n in range(1, 30)]
    lines[4] = lines[4].removesuffix('"')
    lines[9] = '10,100,4,5,"'
    lines[28] = '29,290,4,5,"never closed'
    rows, problems = read(tmp_path, HEADER + "\n".join(lines), size)
    assert [int(user) for user, _ in rows] == [n for n in range(1, 29) if n not in (5, 10)]
    assert places(problems) == [("wrong_column_count", line) for line in (6, 11, 30)]


def test_a_cell_is_never_longer_than_a_thousand_lines(tmp_path: Path) -> None:
    text = HEADER + '1,10,4,5,"' + "so\n" * 1000 + 'on"\n2,20,4,5,"' + "so\n" * 999 + 'on"\n'
    rows, problems = read(tmp_path, text)
    assert rows == [("2", "20")]
    assert problems.counts == {"wrong_column_count": 1001}
    assert places(problems)[0] == ("wrong_column_count", 2)


def test_escaped_quotes(tmp_path: Path) -> None:
    text = HEADER + '1,10,4,5,"said \\"no, \\\\\nnever\\""\n2,20,4,6,a\\,b\n3,30,4,7,"a ""b"" c"\n'
    rows, problems = read(tmp_path, text, escape="\\")
    assert (rows, problems.counts) == ([("1", "10"), ("2", "20"), ("3", "30")], {})


def test_an_open_quote_beside_the_ratings_is_told_and_no_movie_is_lost(tmp_path: Path) -> None:
    text = "movie,title\n" + "".join(f'{n},"Film, {n}"\n' for n in range(1, 60))
    text = text.replace('"Film, 30"', '"Weird Al')
    found = films(tmp_path, text, multiline=True)
    titles = dict(
        zip(*(found.table[name].to_pylist() for name in ("movie_id", "movie_title")), strict=True)
    )
    assert len(titles) == 59
    assert (titles["30"], titles["31"]) == ('"Weird Al', "Film, 31")
    assert places(found.problems) == [("unpaired_quote", 31)]
    rows = films(tmp_path, text)
    assert len(rows.table) == 58
    assert places(rows.problems) == [("wrong_column_count", 31)]
    assert rows.lost.to_pylist() == ["30"]


def test_titles_over_lines_become_one(tmp_path: Path) -> None:
    text = 'movie,title,plot\n1,"A\nB","x\n\ny"\n2, "C, D","2,3\n4,5\n"\n3,E\n'
    found = films(tmp_path, text, multiline=True)
    assert found.table["movie_title"].to_pylist() == ["A B", "C, D", "E"]
    assert found.problems.counts == {}


# What the rows of a table say; a line end only where a cell may have one.
WORDS = st.text(st.sampled_from('ab 7,"\n;é'), max_size=8)


@given(texts=st.lists(WORDS, min_size=2, max_size=8), size=st.integers(1, 60))
def test_whatever_a_cell_holds_the_rows_are_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], size: int
) -> None:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    for number, text in enumerate(texts, 1):
        writer.writerow([number, f"{number}0", 4, 5, text])
    rows, problems = read(tmp_path_factory.mktemp("any"), HEADER + made.getvalue(), size)
    assert rows == [(str(n), f"{n}0") for n in range(1, len(texts) + 1)]
    assert problems.counts == {}


@given(data=st.data(), extra=st.booleans(), multiline=st.sampled_from([True, False]))
def test_with_any_damage_to_quotes_every_row_is_read_or_counted(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, extra: bool, multiline: bool
) -> None:
    text = "".join(f'{n},{n}0,4,5,"a, {n}"\n' if extra else f'{n},"{n}0",4,5\n' for n in range(9))
    place = data.draw(st.integers(0, len(text) - 1))
    if data.draw(st.booleans()):
        text = text[:place] + '"' + text[place:]
    else:
        place = data.draw(st.sampled_from([at for at, mark in enumerate(text) if mark == '"']))
        text = text[:place] + text[place + 1 :]
    header = HEADER if extra else "user,movie,stars,time\n"
    folder = tmp_path_factory.mktemp("any")
    rows, problems = read(folder, header + text, multiline=multiline)
    assert len(rows) + sum(problems.counts.values()) == 9
    assert len(rows) >= 7


@given(place=st.integers(0, 200), multiline=st.booleans())
@example(place=3, multiline=True)
def test_with_any_damage_to_quotes_every_movie_is_read_or_counted(
    tmp_path_factory: pytest.TempPathFactory, place: int, multiline: bool
) -> None:
    text = "".join(f'{n},"Film, {n}",Drama\n' for n in range(1, 12))
    text = text[:place] + '"' + text[place:]
    folder = tmp_path_factory.mktemp("any")
    try:
        found = films(folder, "movie,title,genre\n" + text, multiline=multiline)
    except UserError as error:
        assert "films.csv, line" in str(error)
        return
    dropped = {r: n for r, n in found.problems.counts.items() if r != "unpaired_quote"}
    assert len(found.table) + sum(dropped.values()) == 11
    assert len(found.table) >= 9
