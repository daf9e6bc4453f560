"""Movies and users of every source, from samples in exactly their original form."""

import gzip
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.read.find import find_files
from components.example_gen.read.tables import (
    MovieTable,
    UserTable,
    movie_schema,
    read_movies,
    read_users,
)
from components.examples.arrow import filled
from schemas.errors import UserError
from schemas.source import Source, load_source

DATA = Path(__file__).parents[4] / "data" / "ml-latest-small"

ITEM = (
    "1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/M/title-exact?Toy%20Story%20(1995)"
    "|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "267|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "543|Misérables, Les (1995)|01-Jan-1995||http://us.imdb.com/M/title-exact"
    "|0|0|0|0|0|0|0|0|1|0|0|0|1|0|0|0|0|0|0\n"
)
METADATA_HEADER = (
    "adult,belongs_to_collection,budget,genres,homepage,id,imdb_id,original_language,"
    "original_title,overview,popularity,poster_path,production_companies,production_countries,"
    "release_date,revenue,runtime,spoken_languages,status,tagline,title,video,vote_average,"
    "vote_count\n"
)
GENRES = "\"[{'id': 16, 'name': 'Animation'}, {'id': 10751, 'name': 'Family'}]\""
TOY_STORY = (
    f"False,\"{{'id': 10194, 'name': 'Toy Story Collection'}}\",30000000,{GENRES},"
    "http://toystory.disney.com/toy-story,862,tt0114709,en,Toy Story,"
    '"Led by Woody, Andy\'s toys live happily.\nBut ""Buzz"" lands.",21.946943,/rhIRbceo.jpg,'
    "\"[{'name': 'Pixar Animation Studios', 'id': 3}]\",\"[{'iso_3166_1': 'US'}]\",1995-10-30,"
    "373554033.0,81.0,\"[{'iso_639_1': 'en', 'name': 'English'}]\",Released,,Toy Story,False,7.7,"
    "5415\n"
)
JUMANJI = (
    "False,,65000000,[],,8844,tt0113497,en,Jumanji,Overview,17.015539,/vgpX.jpg,[],[],,0,104,[],"
    "Released,Roll the dice,Jumanji,False,6.9,2413\n"
)
# An unquoted line end in the overview cuts a row in two.
CUT = (
    "False,,0,\"[{'id': 18, 'name': 'Drama'}]\",,82663,tt0113002,en,Midnight Man,\n"
    " - Written by Ørnås\",0.065736,/ff9qCep.jpg,\"[{'name': 'Carousel', 'id': 11176}]\","
    "\"[{'iso_3166_1': 'US'}]\",1997-08-20,0,104.0,\"[{'iso_639_1': 'en'}]\",Released,,"
    "Midnight Man,False,6.0,1\n"
)
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n2,0113497,8844\n3,0113002,82663\n4,0000004,\n"
LINKS += "5,0000005,99999\n862,0000862,2\n"
CREDITS = (
    "cast,crew,id\n"
    "\"[{'cast_id': 14, 'character': 'Woody (voice)', 'credit_id': '52fe', 'gender': 2, 'id': 31, "
    "'name': 'Tom Hanks', 'order': 0, 'profile_path': '/pQF.jpg'}, {'cast_id': 15, 'character': "
    "'Buzz', 'credit_id': '52ff', 'gender': 2, 'id': 12898, 'name': 'Tim Allen', 'order': 1, "
    "'profile_path': None}]\",\"[{'credit_id': '52fe', 'department': 'Writing', 'gender': 2, "
    "'id': 12891, 'job': 'Screenplay', 'name': 'Joss Whedon', 'profile_path': None}, "
    "{'credit_id': '52fe', 'department': 'Directing', 'gender': 2, 'id': 7879, 'job': 'Director', "
    "'name': 'John Lasseter', 'profile_path': '/7EdqiNbr4.jpg'}]\",862\n"
    "\"[{'cast_id': 1, 'character': 'Alan', 'credit_id': '52fe', 'gender': 2, 'id': 2157, "
    "'name': \"\"Chris O'Donnell\"\", 'order': 0, 'profile_path': None}]\",[],8844\n"
)
MOVIES_DATASET = {
    "movies_metadata.csv": METADATA_HEADER + TOY_STORY + JUMANJI + CUT + JUMANJI,
    "links.csv": LINKS,
    "credits.csv": CREDITS,
    "ratings_small.csv": "userId,movieId,rating,timestamp\n1,1,4,5\n",
}


def write(folder: Path, files: dict[str, str], encoding: str = "utf-8") -> str:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))
    return str(folder)


def movies_in(source: Source, folder: str) -> MovieTable | None:
    return read_movies(source, find_files(source, folder))


def users_in(source: Source, folder: str) -> UserTable | None:
    return read_users(source, find_files(source, folder))


def movies(name: str, folder: Path, files: dict[str, str], encoding: str = "utf-8") -> MovieTable:
    """The movies of a source of which only these files exist."""
    source = load_source(name)
    for file in [globs[0] for globs in source.patterns().values()]:
        (folder / file.replace("*", "1")).write_bytes(b"x")
    table = movies_in(source, write(folder, files, encoding))
    assert table is not None
    assert table.table.schema == movie_schema(source)
    return table


def brief(table: MovieTable) -> list[tuple[Any, ...]]:
    return [tuple(row.values())[:4] for row in table.table.to_pylist()]


def test_movielens_100k(tmp_path: Path) -> None:
    found = movies("movielens-100k", tmp_path, {"u.item": ITEM}, "latin-1")
    assert brief(found) == [
        ("1", "Toy Story (1995)", 1995, ["Animation", "Children's", "Comedy"]),
        ("267", "unknown", 0, []),
        ("543", "Misérables, Les (1995)", 1995, ["Drama", "Musical"]),
    ]
    assert found.problems.counts == {}


def test_movielens_1m(tmp_path: Path) -> None:
    text = "1::Toy Story (1995)::Animation|Children's|Comedy\n"
    text += "73::Misérables, Les (1995)::Drama|Musical\n"
    found = movies("movielens-1m", tmp_path, {"movies.dat": text}, "latin-1")
    assert brief(found) == [
        ("1", "Toy Story (1995)", 1995, ["Animation", "Children's", "Comedy"]),
        ("73", "Misérables, Les (1995)", 1995, ["Drama", "Musical"]),
    ]


def test_movielens_10m(tmp_path: Path) -> None:
    text = "1::Toy Story (1995)::Animation|Comedy\n"
    text += "73::Misérables, Les (1995)::Drama\n8606::Pull My Daisy (1958)::(no genres listed)\n"
    found = movies("movielens-10m", tmp_path, {"movies.dat": text})
    assert brief(found)[1:] == [
        ("73", "Misérables, Les (1995)", 1995, ["Drama"]),
        ("8606", "Pull My Daisy (1958)", 1958, []),
    ]


@pytest.mark.parametrize("name", ["movielens-latest", "movielens-20m", "movielens-25m"])
def test_movielens_latest(tmp_path: Path, name: str) -> None:
    text = (
        "movieId,title,genres\r\n"
        '11,"American President, The (1995)",Comedy|Drama|Romance\r\n'
        '83,"Once Upon a Time... When We Were Colored (1995)",Drama|Romance\r\n'
        '70946,"""Great Performances"" Cats (1998)",Musical\r\n'
        "171495,Cosmos,(no genres listed)\r\n"
        "7669,Pride and Prejudice (1995\u20131996),Drama\r\n"
        "40697,Babylon 5 ,Sci-Fi\r\n"
    )
    found = movies(name, tmp_path, {"movies.csv": "\ufeff" + text})
    assert brief(found) == [
        ("11", "American President, The (1995)", 1995, ["Comedy", "Drama", "Romance"]),
        ("171495", "Cosmos", 0, []),
        ("40697", "Babylon 5", 0, ["Sci-Fi"]),
        ("70946", '"Great Performances" Cats (1998)', 1998, ["Musical"]),
        ("7669", "Pride and Prejudice (1995\u20131996)", 1995, ["Drama"]),
        ("83", "Once Upon a Time... When We Were Colored (1995)", 1995, ["Drama", "Romance"]),
    ]
    assert found.problems.counts == {}


def test_movietweetings(tmp_path: Path) -> None:
    text = "0002844::Fantômas - À l'ombre de la guillotine (1913)::Crime|Drama\n"
    text += "0439572::Flash (2022)::\n"
    found = movies("movietweetings", tmp_path, {"movies.dat": text})
    assert brief(found) == [
        ("0002844", "Fantômas - À l'ombre de la guillotine (1913)", 1913, ["Crime", "Drama"]),
        ("0439572", "Flash (2022)", 2022, []),
    ]


def test_netflix_prize(tmp_path: Path) -> None:
    text = "1,2003,Dinosaur Planet\n72,1974,At Home Among Strangers, A Stranger Among His Own\n"
    text += '4388,NULL,Ancient Civilizations: "Rome" and Pompeii\n15,1988,Neil Diamond: Olé\n'
    found = movies("netflix-prize", tmp_path, {"movie_titles.csv": text}, "latin-1")
    assert brief(found) == [
        ("1", "Dinosaur Planet", 2003, []),
        ("15", "Neil Diamond: Olé", 1988, []),
        ("4388", 'Ancient Civilizations: "Rome" and Pompeii', 0, []),
        ("72", "At Home Among Strangers, A Stranger Among His Own", 1974, []),
    ]
    assert found.problems.counts == {}


def test_netflix_csv(tmp_path: Path) -> None:
    text = 'Movie_ID,Year,Name\n1,2003,Dinosaur Planet\n72,1974,"At Home, A Stranger"\n'
    found = movies("netflix-csv", tmp_path, {"Netflix_Dataset_Movie.csv": text})
    assert brief(found) == [
        ("1", "Dinosaur Planet", 2003, []),
        ("72", "At Home, A Stranger", 1974, []),
    ]


def test_the_movies_dataset_joins_through_links(tmp_path: Path) -> None:
    found = movies("the-movies-dataset", tmp_path, MOVIES_DATASET)
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        ("1", "Toy Story", 1995, ["Animation", "Family"], "John Lasseter", "Tom Hanks"),
        ("2", "Jumanji", 0, [], "", "Chris O'Donnell"),
        ("3", "Midnight Man", 0, ["Drama"], "", ""),
    ]
    dropped = {"duplicate_id": 1, "malformed_id": 1, "missing_field": 1, "unresolved_link": 2}
    assert found.problems.counts == dropped
    lines = {sample.reason: sample.line for sample in found.problems.samples}
    told = {"malformed_id": 6, "duplicate_id": 7, "missing_field": 5, "unresolved_link": 7}
    assert lines == told


def test_movielens_1m_meets_its_metadata_through_links(tmp_path: Path) -> None:
    people = "1::F::1::10::48067\n2::M::56::16::70072-1234\n3::M::25::15::V5K0A1\n"
    files = {**MOVIES_DATASET, "users.dat": people, "ratings.dat": "1::1::5::978300760\n"}
    found = movies("movielens-1m-tmdb", tmp_path, files)
    told = ("movie_id", "released_month", "released_weekday", "director", "star")
    assert [tuple(row[name] for name in told) for row in found.table.to_pylist()] == [
        ("1", "October", "Monday", "John Lasseter", "Tom Hanks"),
        ("2", "", "", "", "Chris O'Donnell"),
        ("3", "", "", "", ""),
    ]
    assert found.table["released"][0].as_py() == pytest.approx(1995.827)
    users = users_in(load_source("movielens-1m-tmdb"), str(tmp_path))
    assert users is not None
    assert users.table["region"].to_pylist() == ["Great Lakes", "South Central", ""]
    assert users.table["age"].to_pylist() == ["under 18", "56+", "25-34"]


def test_packed_tables(tmp_path: Path) -> None:
    source = load_source("movielens-latest")
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4,5\n")
    text = "movieId,title,genres\n1,Toy Story (1995),Comedy\n"
    (tmp_path / "movies.csv.gz").write_bytes(gzip.compress(text.encode()))
    found = movies_in(source, str(tmp_path))
    assert found is not None
    assert brief(found) == [("1", "Toy Story (1995)", 1995, ["Comedy"])]


def test_bad_movies_are_counted_and_cost_no_neighbour(tmp_path: Path) -> None:
    text = (
        "movieId,title,genres\n1,One (2001),Drama\n"
        "2,A comma, unquoted (2002),Drama\n3,Short (2003)\n"
        '4,"Never closed (2004),Drama\n,No id (2005),Drama\n6,,Drama\n'
        "1,One again (2001),Drama\n\n7,Seven (2007),Drama|Drama| War\n"
    )
    data = text.encode() + b"8,Bad \xff text (2008),Drama\n9,Nine (2009),Drama\n"
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4,5\n")
    (tmp_path / "movies.csv").write_bytes(data)
    found = movies_in(load_source("movielens-latest"), str(tmp_path))
    assert found is not None
    assert brief(found) == [
        ("1", "One (2001)", 2001, ["Drama"]),
        ("7", "Seven (2007)", 2007, ["Drama", "War"]),
        ("9", "Nine (2009)", 2009, ["Drama"]),
    ]
    assert found.problems.counts == {
        "duplicate_id": 1,
        "missing_field": 2,
        "undecodable_text": 1,
        "wrong_column_count": 3,
    }
    wrong = [s.line for s in found.problems.samples if s.reason == "wrong_column_count"]
    assert wrong == [3, 4, 5]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"movieId,title,genres\n", "has a header but no rows"),
        (b"movieId;title;genres\n1;A;B\n", "is ',' the right separator"),
        (b"movieId,name,genres\n1,A,B\n", "the column title nowhere"),
        (b"\x00\x01\x02\x03" * 99, "not a text file"),
    ],
)
def test_a_broken_movies_file(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4,5\n")
    (tmp_path / "movies.csv").write_bytes(data)
    with pytest.raises(UserError, match=message) as error:
        movies_in(load_source("movielens-latest"), str(tmp_path))
    assert "movies.csv" in str(error.value)


def test_a_missing_movies_file(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4,5\n")
    with pytest.raises(UserError, match=r"has no movies\.csv, where .* keeps its movies"):
        movies_in(load_source("movielens-latest"), str(tmp_path))


def test_metadata_that_is_no_csv(tmp_path: Path) -> None:
    broken = METADATA_HEADER + TOY_STORY + 'False,"' + "never closed\n" * 1_400_000
    files = MOVIES_DATASET | {"movies_metadata.csv": broken}
    with pytest.raises(UserError, match=r"movies_metadata\.csv, line \d+: this is not CSV"):
        movies("the-movies-dataset", tmp_path, files)


def test_users_of_movielens_100k(tmp_path: Path) -> None:
    users = "1|24|M|technician|85711\n2|53|F|other|94043\n30|7|M|student|55436\n"
    users += "4|17.0|M||43537\n5|60|X|retired|15213\n6|?|F|other|1\n"
    folder = write(tmp_path, {"u.user": users, "u.item": ITEM, "u.data": "1\t1\t3\t4\n"})
    found = users_in(load_source("movielens-100k"), folder)
    assert found is not None
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        ("1", "male", "18-24", "technician"),
        ("2", "female", "50-55", "other"),
        ("30", "male", "under 18", "student"),
        ("4", "male", "under 18", ""),
        ("5", "X", "56+", "retired"),
        ("6", "female", "", "other"),
    ]


def test_users_of_movielens_1m(tmp_path: Path) -> None:
    users = "1::F::1::10::48067\n2::M::56::16::70072\n3::M::25::15::55117\n3::F::25::15::55117\n"
    users += "6040::M::45::6\n"
    folder = write(tmp_path, {"users.dat": users, "movies.dat": "x", "ratings.dat": "x"})
    found = users_in(load_source("movielens-1m"), folder)
    assert found is not None
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        ("1", "female", "under 18", "K-12 student"),
        ("2", "male", "56+", "self-employed"),
        ("3", "male", "25-34", "scientist"),
    ]
    assert found.problems.counts == {"duplicate_id": 1, "wrong_column_count": 1}


def test_a_source_without_movies_and_users(tmp_path: Path) -> None:
    columns = {"user_id": "u", "movie_id": "m", "rating": "r"}
    description = {"name": "own", "scale": (1, 5), "ratings": {"files": "r", "columns": columns}}
    source = Source.model_validate(description)
    assert read_movies(source, {}) is None
    assert read_users(source, {}) is None


def test_the_newest_file_says_what_a_movie_is(tmp_path: Path) -> None:
    source = load_source("movielens-latest")
    old = "movieId,title,genres\n1,One (2001),Drama\n2,Two (2002),War\n"
    new = "movieId,title,genres\n3,Three (2003),War\n1,One (2011),Comedy\n1,Again (2012),War\n"
    folder = write(tmp_path, {"9.csv": old, "10.csv": new})
    found = read_movies(source, {"movies": [f"{folder}/9.csv", f"{folder}/10.csv"]})
    assert found is not None
    assert brief(found) == [
        ("1", "One (2011)", 2011, ["Comedy"]),
        ("2", "Two (2002)", 2002, ["War"]),
        ("3", "Three (2003)", 2003, ["War"]),
    ]
    assert found.problems.counts == {"duplicate_id": 1}  # within a file, not between files


def test_the_embedded_movies() -> None:
    found = movies_in(load_source("movielens-latest"), str(DATA))
    assert found is not None
    assert found.table.num_rows == 9742
    assert found.problems.counts == {}
    ids = filled(found.table["movie_id"])
    assert ids == sorted(ids)


FLAGS = """
scale: [1, 5]
ratings: {files: r.csv, columns: {user_id: u, movie_id: m, rating: r}}
movies:
  files: films.csv
  columns: {movie_id: m, movie_title: t}
  genres: {flags: {Action: a, Drama: d}}
"""
YES = ["1", "1.0", "1.", "1.00", "true", "t", "yes", "y", "x", "on"]
NO = ["0", "0.0", "0.", "false", "f", "no", "n", "off", ""]


def own(folder: Path, text: str, name: str = "mine") -> Source:
    (folder / f"{name}.yaml").write_text(text)
    return load_source(str(folder / f"{name}.yaml"))


def films(folder: Path, text: str, header: str, rows: list[str]) -> MovieTable:
    path = folder / "films.csv"
    path.write_text("\n".join([header, *rows, ""]))
    table = read_movies(own(folder, text), {"movies": [str(path)]})
    assert table is not None
    return table


SHOUTED = st.sampled_from([str.lower, str.upper, str.title, lambda word: f" {word} "])


@given(st.lists(st.tuples(st.sampled_from(YES + NO), st.sampled_from(YES + NO), SHOUTED)))
def test_flags_are_read_in_every_usual_form(cells: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [f"{n},F,{how(a)},{how(d)}" for n, (a, d, how) in enumerate(cells)]
        table = films(Path(folder), FLAGS, "m,t,a,d", [*rows, "last,F,1,1"])
    found = {row["movie_id"]: row["genres"] for row in table.table.to_pylist()}
    for number, (action, drama, _) in enumerate(cells):
        assert found[str(number)] == ["Action"] * (action in YES) + ["Drama"] * (drama in YES)
    assert table.cells[0].report() == []
    table.cells[0].check(0.0)


@pytest.mark.parametrize("word", ["2", "maybe", "-1", "nan", "0.5", "11", "✓", "yess", "1,0"])
def test_a_flag_that_is_neither_yes_nor_no_is_counted_and_stops_the_run(
    tmp_path: Path, word: str
) -> None:
    rows = [f"{n},F,{n % 2},0" for n in range(98)]
    table = films(tmp_path, FLAGS, "m,t,a,d", [*rows, f'98,F,"{word}",1', "99,F,1,1"])
    (told,) = table.cells[0].report()
    first = {"file": str(tmp_path / "films.csv"), "line": 100, "text": word}
    column = {"column": "movies.genres.Action", "reason": "unreadable_flag", "cells": 1, "of": 100}
    assert told == column | {"first": first}
    assert table.table["genres"].to_pylist()[-2:] == [["Drama"], ["Action", "Drama"]]
    table.cells[0].check(0.01)
    with pytest.raises(UserError, match=rf"films\.csv:100: '{word}'; yes and no are 1 and 0"):
        table.cells[0].check(0.009)


MOVIES = """
scale: [1, 5]
ratings: {{files: r.csv, columns: {{user_id: u, movie_id: m, rating: r}}}}
movies: {{files: films.csv, columns: {{movie_id: m, movie_title: t}}, {feature}}}
"""


@pytest.mark.parametrize(
    ("feature", "cell", "message"),
    [
        ("year: {column: c}", "1995-10-30", "year: 30 of 30 .*'1995-10-30'; .* give a pattern"),
        ("year: {column: c}", "MCMXC", "year: 30 of 30 cells cannot be read"),
        ("year: {column: c}", "19950", "year: 30 of 30 cells cannot be read"),
        (r"year: {column: c, pattern: '\((\d+)\)'}", "Heat [1995]", "the pattern finds nothing"),
        (r"year: {column: c, pattern: '(\w+)'}", "Heat", "year: 30 of 30 .*'Heat'"),
        ("genres: {column: c, pattern: 'name: (x)'}", "Drama", "genres: .*pattern finds nothing"),
        ("genres: {flags: {Drama: c}}", "-", "genres.Drama: 30 of 30"),
        ("star: {column: c}", "NULL", "star: 30 of 30 .*'NULL'; name it under nulls"),
        ("director: {column: c, pattern: '<(.*)>'}", "Ann", "director: .*pattern finds nothing"),
    ],
)
def test_a_column_of_which_nothing_can_be_read_stops_the_run(
    tmp_path: Path, feature: str, cell: str, message: str
) -> None:
    rows = [f"{n},F,{cell}" for n in range(30)]
    cells = films(tmp_path, MOVIES.format(feature=feature), "m,t,c", rows).cells[0]
    with pytest.raises(UserError, match=message) as error:
        cells.check(1.0)
    assert f"{tmp_path / 'films.csv'}:2: " in str(error.value)
    # Of a handful of rows nobody can tell; it is said then.
    few = films(tmp_path, MOVIES.format(feature=feature), "m,t,c", rows[:5]).cells[0]
    few.check(1.0)
    assert len(few.findings(0.01)) == 1


@pytest.mark.parametrize(
    ("feature", "cells", "message"),
    [
        ("genres: {column: c, separator: ';'}", ["A|B"], r"no cell .*';', and 30 .* hold '\|'"),
        ("genres: {column: c, separator: '|'}", ["A", "B"], None),
        ("genres: {column: c, separator: '|'}", ["A|B", "A/C"], None),
        ("year: {column: c}", [""], r"movies\.year: none of 30 rows gives anything"),
        ("genres: {flags: {Drama: c}}", ["0"], r"movies\.genres: none of 30 rows gives anything"),
        ("year: {column: c}", ["1990"] * 14 + ["?"], r"year: 2 of 30 cells cannot be read, .*:16:"),
        ("year: {column: c}", ["1990"], None),
        ("director: {column: c}", ["nan", "Ann"], r"director: 15 of 30 .*'nan'; name"),
        ("nulls: nan, director: {column: c}", ["nan", "Ann"], None),
        ("genres: {column: c, separator: '|'}", ["A|B", "N/A"], r"15 of 30 .*'N/A'; name it"),
        ("genres: {column: c, pattern: \"'(.*?)'\"}", ["[]", "['A']"], None),
    ],
)  # fmt: skip
def test_what_a_column_lacks_is_told(
    tmp_path: Path, feature: str, cells: list[str], message: str | None
) -> None:
    rows = [f"{n},F,{cells[n % len(cells)]}" for n in range(30)]
    found = films(tmp_path, MOVIES.format(feature=feature), "m,t,c", rows).cells[0]
    found.check(0.01)
    assert len(found.findings(0.01)) == (message is not None)
    for sentence in found.findings(0.01):
        assert re.search(str(message), sentence)


PEOPLE = """
scale: [1, 5]
ratings: {files: r.csv, columns: {user_id: u, movie_id: m, rating: r}}
users:
  files: u.csv
  columns: {user_id: u, gender: g, age: a}
  age_in_years: true
  values: {gender: {F: female, M: male}}
"""


def test_codes_and_ages_that_are_not_known_are_counted(tmp_path: Path) -> None:
    rows = ["1,F,30", "2,X,131", "3,f,young", "4,,", "5,M,7.0", "6,W,-1"]
    (tmp_path / "u.csv").write_text("\n".join(["u,g,a", *rows, ""]))
    table = read_users(own(tmp_path, PEOPLE), {"users": [str(tmp_path / "u.csv")]})
    assert table is not None
    assert table.table["gender"].to_pylist() == ["female", "X", "f", "", "male", "W"]
    assert table.table["age"].to_pylist() == ["25-34", "", "", "", "under 18", ""]
    counts = {(row["column"], row["reason"]): row["cells"] for row in table.cells[0].report()}
    unread = {("users.age", "unreadable_age"): 3, ("users.gender", "unmapped_value"): 3}
    assert counts == unread
    assert len(table.cells[0].findings(0.01)) == 2
    table.cells[0].check(0.01)


NUMBERS = """
scale: [1, 5]
ratings: {files: r.csv, columns: {user_id: u, movie_id: m, rating: r}}
users:
  files: u.csv
  nulls: unknown
  columns: {user_id: u}
  features:
    age: {kind: number, column: a}
    fee: {kind: number, column: f, pattern: '[$](.*)'}
"""


def test_numbers_are_read_and_what_is_none_is_counted(tmp_path: Path) -> None:
    ages = ["30", "0", "-1.5", ".5e1", "", "unknown", "young", "1,5", "nan", "1_0", "1e39", "٣"]
    rows = [f'{n},"{age}",${n}' for n, age in enumerate(ages, 10)]
    (tmp_path / "u.csv").write_text("\n".join(["u,a,f", *rows, ""]), encoding="utf-8")
    table = read_users(own(tmp_path, NUMBERS), {"users": [str(tmp_path / "u.csv")]})
    assert table is not None
    known = [30, 0, -1.5, 5]
    found = table.table["age"].to_numpy()
    np.testing.assert_array_equal(found, [*known, *[np.nan] * 8])
    assert table.table["fee"].to_pylist() == [float(n) for n in range(10, 22)]
    (cells,) = table.cells
    assert (cells.gave["age"], cells.gave["fee"]) == (4, 12)
    counts = {(row["column"], row["reason"]): row["cells"] for row in cells.report()}
    assert counts == {("users.age", "no_number"): 6}
    (sentence,) = cells.findings(0.01)
    assert re.search(r"users.age: 6 of 12 cells .*u.csv:8: 'young'; a number has a p", sentence)


def test_a_column_without_any_number_stops_the_run(tmp_path: Path) -> None:
    rows = [f"{n},F,{n} min" for n in range(20)]
    feature = "features: {runtime: {kind: number, column: c}}"
    found = films(tmp_path, MOVIES.format(feature=feature), "m,t,c", rows)
    assert np.isnan(found.table["runtime"].to_numpy()).all()
    with pytest.raises(UserError, match=r"movies.runtime: 20 of 20 .*films.csv:2: '0 min'; a n"):
        found.cells[0].check(0.01)


@pytest.mark.parametrize(
    ("kind", "cell", "message"),
    [
        ("category", "code {n}", "c: 100 different values in 100 rows are rather ids"),
        ("category", "code {half}", None),
        ("category", "same", "c: all 100 known values are 'same': what never"),
        ("number", "{n}", None),
        ("number", "7.0", "c: all 100 known values are 7: what never differs"),
        ("date", "2001-01-0{digit}", None),
        ("date", "2001-01-01", "c: all 100 known values are 2001: what never"),
        ("text", "same", None),
    ],
)
def test_what_is_rather_an_id_or_always_the_same_is_told(
    tmp_path: Path, kind: str, cell: str, message: str | None
) -> None:
    numbers = range(101)
    cells = [cell.format(n=n, half=(n - 1) // 2, digit=1 + n % 9) if n else "" for n in numbers]
    rows = [f"{n},F,{cells[n]}" for n in numbers]
    feature = f"features: {{c: {{kind: {kind}, column: c}}}}"
    found = films(tmp_path, MOVIES.format(feature=feature), "m,t,c", rows).cells[0].findings(0.01)
    assert len(found) == (message is not None)
    assert all(str(message) in sentence for sentence in found)
    few = films(tmp_path, MOVIES.format(feature=feature), "m,t,c", rows[:100])
    assert few.cells[0].findings(0.01) == []


def test_a_date_is_a_number_a_month_and_a_weekday(tmp_path: Path) -> None:
    days = ["2000-02-29", "1896-01-06", "", "2001-02-29", "soon"]
    rows = [f"{n},F,{day}" for n, day in enumerate(days)]
    feature = "features: {day: {kind: date, column: c}}"
    found = films(tmp_path, MOVIES.format(feature=feature), "m,t,c", rows)
    exact = [2000 + 59 / 366, 1896 + 5 / 366, np.nan, np.nan, np.nan]
    np.testing.assert_allclose(found.table["day"].to_numpy(), exact, atol=6e-4)
    assert found.table["day_month"].to_pylist() == ["February", "January", "", "", ""]
    assert found.table["day_weekday"].to_pylist() == ["Tuesday", "Monday", "", "", ""]
    (sentence,) = found.cells[0].findings(0.01)
    assert re.search(r"movies.day: 2 of 5 .*films.csv:5: '2001-02-29'; set format", sentence)


NULLS = [r"\N", "nan", "NaN", "NULL", "null", "None", "NONE", "N/A", "n/a", "NA", "<NA>", "-", "?"]
NULLS += ["nil", "undefined", "#N/A", "NaT", "(null)"]


@pytest.mark.parametrize("word", NULLS)
def test_a_word_for_nothing_is_no_id_unless_the_source_says_so(tmp_path: Path, word: str) -> None:
    text = MOVIES.format(feature="year: {column: c}")
    rows = ["1,F,1990", f"{word},G,1990"]
    assert films(tmp_path, text, "m,t,c", rows).problems.counts == {"null_id": 1}
    allowed = films(tmp_path, f"real_ids: ['{word.lower()}']\n" + text, "m,t,c", rows)
    assert allowed.problems.counts == {} and len(allowed.table) == 2


def test_a_table_of_which_no_row_can_be_used_is_told(tmp_path: Path) -> None:
    text = MOVIES.format(feature=r"id_pattern: '^(\d+)$'")
    with pytest.raises(UserError, match=r"Not one row of the movies .*malformed_id in .*csv:2: 'a"):
        films(tmp_path, text, "m,t,c", ["a,F,", "b,G,"])


LINKED = """
scale: [1, 5]
ratings: {files: r.csv, columns: {user_id: u, movie_id: m, rating: r}}
movies:
  {files: m.csv, columns: {movie_id: id, movie_title: t}, star: {column: s}}
credits: {files: c.csv, columns: {movie_id: id}, director: {column: d}}
links: {files: l.csv, columns: {movie_id: a, linked_id: b}}
"""


def test_what_joins_nothing_is_counted(tmp_path: Path) -> None:
    files = {
        "m.csv": "id,t,s\n7,F,Ann\n8,G,Bob\n9,H,\n",
        "c.csv": "id,d\n7,Cem\n70,Dan\n",
        "l.csv": "a,b\n1,7\n2,8\n3,70\n4,\n5,71\n",
    }
    write(tmp_path, files)
    source = own(tmp_path, LINKED)
    paths = {"movies": "m.csv", "credits": "c.csv", "links": "l.csv"}
    table = read_movies(source, {name: [str(tmp_path / file)] for name, file in paths.items()})
    assert table is not None
    people = [(row["movie_id"], row["director"], row["star"]) for row in table.table.to_pylist()]
    assert people == [("1", "Cem", "Ann"), ("2", "", "Bob")]
    assert table.problems.counts == {
        "credits_of_no_movie": 1, "missing_field": 1, "unlinked_movie": 1, "unresolved_link": 2,
    }  # fmt: skip
    write(tmp_path, {"l.csv": "a,b\n1,100\n"})
    with pytest.raises(UserError, match="leads to a movie of the movies table"):
        read_movies(source, {name: [str(tmp_path / file)] for name, file in paths.items()})
