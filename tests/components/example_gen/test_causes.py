"""What stops a run is named by what came first: a bad row of the movies before its ratings."""

from pathlib import Path
from typing import Any

import pytest

from components.example_gen.config import SplitConfig
from components.example_gen.generate import generate
from components.examples.rows import RowsReport
from schemas.errors import UserError
from schemas.source import Source

COLUMNS = {"user_id": "user", "movie_id": "movie", "rating": "stars", "timestamp": "time"}
VOTES = "user,movie,stars,time\n" + "".join(
    f"u{user},{movie},{1 + (user + movie) % 5},{1000 * movie + user}\n"
    for user in range(20)
    for movie in range(1, 41)
)
FILMS = "movie,title\n" + "".join(f"{number},Film {number}\n" for number in range(1, 401))


def run(folder: Path, films: bytes, **tables: Any) -> RowsReport:
    (folder / "films.csv").write_bytes(films)
    if not (folder / "votes.csv").exists():
        (folder / "votes.csv").write_text(VOTES)
    described: dict[str, Any] = {
        "ratings": {"files": "votes.csv", "columns": COLUMNS},
        "movies": {
            "files": "films.csv",
            "columns": {"movie_id": "movie", "movie_title": "title"},
        },
    }
    for name, keys in tables.items():
        described[name] = described.get(name, {}) | keys
    source = Source.model_validate({"name": "own", "scale": (1, 5), **described})
    uris = str(folder / "examples"), str(folder / "catalogue")
    return generate(source, SplitConfig(), str(folder), *uris)


def latin(count: int) -> bytes:
    """The movies, of which some have a title that is no UTF-8."""
    text = FILMS
    for number in range(1, count + 1):
        text = text.replace(f"\n{number},Film", f"\n{number},Fïlm")
    return text.encode("latin-1")


def test_undecodable_movies_are_named_with_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, latin(20))
    assert str(error.value).startswith("20 of 400 rows (5.0%) are bad")
    assert "undecodable_text in " in str(error.value)
    assert "films.csv:2: '1,F" in str(error.value)
    assert "set encoding: latin-1" in str(error.value)
    assert run(tmp_path, latin(20), movies={"encoding": "latin-1"})["kept"] == 800


def test_a_movie_that_was_dropped_is_named_before_its_ratings(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, latin(1))
    said = str(error.value)
    assert said.index("films.csv:2") < said.index("20 of 800 rating rows")
    assert said.index("20 of 800 rating rows") < said.index("dropped_movie in ")
    assert "votes.csv:2: 'u0,1,2,1000'" in said
    assert "set encoding: latin-1" in said


def test_movies_that_nobody_lost_are_no_cause(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, FILMS.replace("\n3,Film 3\n", "\n").encode())
    assert "unknown_movie in " in str(error.value)
    assert "films.csv" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "keys", "hint"),
    [
        ('3,"The ""3""', {}, "Is a quote left open there"),
        ('3,"Say \\"Hi\\", Film"', {}, "set escape: '\\'"),
        ('3,"Say \\"Hi\\", Film"', {"escape": "\\"}, ""),
    ],
)
def test_quotes_are_hinted_at(tmp_path: Path, row: str, keys: dict[str, Any], hint: str) -> None:
    films = FILMS.replace("3,Film 3", row, 1).encode()
    if not hint:
        assert run(tmp_path, films, movies=keys)["dropped"] == {}
        return
    with pytest.raises(UserError) as error:
        run(tmp_path, films, movies=keys)
    said = str(error.value)
    assert hint in said
    assert said.index("films.csv:4") < said.index("votes.csv")


def test_through_links_too(tmp_path: Path) -> None:
    ids = "".join(f"{number},tt{number}\n" for number in range(1, 401))
    (tmp_path / "links.csv").write_text("ours,theirs\n" + ids)
    films = b"movie,title\n" + b"".join(b"tt%d,Film %d\n" % (n, n) for n in range(1, 401))
    links = {"files": "links.csv", "columns": {"movie_id": "ours", "linked_id": "theirs"}}
    assert run(tmp_path, films, links=links)["dropped"] == {}
    with pytest.raises(UserError, match=r"films\.csv:5: 'tt4,F.*dropped_movie in .*votes\.csv:5"):
        run(tmp_path, films.replace(b"Film 4\n", b"F\xeflm 4\n"), links=links)


def test_bad_rows_of_the_users_stop_a_run_too(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user,sex\n" + "u1,F,x\n" + "u2,M\n" * 9)
    users = {"files": "users.csv", "columns": {"user_id": "user", "gender": "sex"}}
    with pytest.raises(UserError, match=r"wrong_column_count in .*users\.csv:2: 'u1,F,x'"):
        run(tmp_path, FILMS.encode(), users=users)


def test_the_most_frequent_reason_is_named(tmp_path: Path) -> None:
    bad = ["u1,1,x,5"] * 9 + ["u1,,3,5"]
    (tmp_path / "votes.csv").write_text(VOTES + "".join(f"{line}\n" for line in bad))
    with pytest.raises(UserError, match=r"10 of 810 rating rows .* unreadable_number in"):
        run(tmp_path, FILMS.encode())
