"""Movies are found by what people type."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import UserError
from schemas.titles import Titles, plain

TITLES = {
    "2571": "Matrix, The (1999)",
    "915": "Sabrina (1954)",
    "7": "Sabrina (1995)",
    "1217": "Ran (1985)",
    "4973": "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
    "924": "2001: A Space Odyssey (1968)",
    "2019": "Seven Samurai (Shichinin no samurai) (1954)",
    "48780": "Prestige, The (2006)",
    "72998": "Avatar (2009)",
    "6711": "Lost in Translation (2003)",
    "34": "1984 (Nineteen Eighty-Four) (1984)",
}


@pytest.fixture(scope="module")
def titles():
    size = len(TITLES)
    return Titles(list(TITLES), list(TITLES.values()), [0] * size, np.arange(size))


@pytest.mark.parametrize(
    ("typed", "movie"),
    [
        ("The Matrix", "2571"), ("matrix", "2571"), ("THE MATRIX (1999)", "2571"),
        ("Matrix, The", "2571"), ("matrix 1999", "2571"), ("2571", "2571"),
        ("sabrina", "7"), ("Sabrina 1954", "915"), ("sabrina (1995)", "7"),
        ("amélie", "4973"), ("AMELIE", "4973"), ("le fabuleux destin d'amelie poulain", "4973"),
        ("2001 a space odyssey", "924"), ("2001: a space odyssey", "924"),
        ("shichinin no samurai", "2019"), ("seven  samurai", "2019"), ("1984", "34"),
    ],
)  # fmt: skip
def test_typed_as_people_type(titles, typed, movie):
    assert list(TITLES)[titles.find(typed)] == movie


@pytest.mark.parametrize(
    ("typed", "movie"),
    [
        ("space odyssey", "924"),
        ("Samurai", "2019"),
        ("samurai 1954", "2019"),
        ("amelie 2001", "4973"),
    ],
)
def test_words_of_a_title_find_it_as_the_search_does(titles, typed, movie):
    assert list(TITLES)[titles.find(typed)] == movie
    assert titles.find(typed) == titles.search(typed.split(" 1")[0].split(" 2")[0], 1)[0]


@pytest.mark.parametrize("typed", ["odyssey space", "samur", "ra", "samurai 1955"])
def test_parts_of_words_and_other_years_are_no_title(titles, typed):
    with pytest.raises(UserError):
        titles.find(typed)


def test_of_several_with_these_words_the_most_rated_is_meant():
    parts = ["Star Wars: Episode IV - A New Hope (1977)", "Star Wars: The Clone Wars (2008)"]
    found = Titles(["1", "2", "3"], [*parts, "Star (2001)"], [0, 0, 0], np.array([9, 5, 70]))
    assert found.find("star wars") == 0 == found.search("star wars", 1)[0]
    assert found.find("star wars 2008") == 1 and found.find("star") == 2


def test_what_is_not_there_gets_suggestions(titles):
    with pytest.raises(
        UserError, match=r"no movie 'the matrx': did you mean 'Matrix, The \(1999\)'"
    ):
        titles.find("the matrx")
    with pytest.raises(UserError, match=r"no movie 'qqqqqq'\.$"):
        titles.find("qqqqqq")
    with pytest.raises(UserError, match="no movie 'Matrix 1980': did you mean"):
        titles.find("Matrix 1980")


@pytest.mark.parametrize("title", TITLES.values())
def test_every_title_finds_its_movie(titles, title):
    assert list(TITLES.values())[titles.find(title)] == title


def test_search_fits_the_start_of_words_and_the_popular_come_first(titles):
    def found(typed):
        return [list(TITLES.values())[row] for row in titles.search(typed, 3)]

    assert found("sab") == ["Sabrina (1995)", "Sabrina (1954)"]
    assert found("sam sev") == ["Seven Samurai (Shichinin no samurai) (1954)"]
    assert found("matrx") == ["Matrix, The (1999)"]
    assert found("") == list(TITLES.values())[:-4:-1]


@given(st.text(max_size=400))
def test_anything_may_be_typed(titles, typed):
    assert plain(plain(typed)) == plain(typed) or plain(typed).startswith(("a ", "an ", "the "))
    assert all(0 <= row < len(TITLES) for row in titles.search(typed, 5))
    try:
        titles.find(typed)
    except UserError as error:
        assert "\n" not in str(error)


LONG = 20_000  # letters
TIRESOME = [
    "a ",
    " ",
    "(",
    "( ",
    "a, ",
    ", the",
    ",",
    "1999 ",
    "(1999) ",
    "a.",
    "é",
    "e\u0301",
]


@pytest.mark.parametrize("part", TIRESOME)
@pytest.mark.parametrize("last", ["", "x", ")", "(1999", " x"])
def test_a_title_of_many_letters_is_no_trouble(part, last):
    """Patterns that try again from every letter would take seconds for each of these."""
    title = "a" + part * (LONG // len(part)) + last
    started = time.process_time()
    long = Titles(["1", "2"], [title, "Heat (1995)"], [0, 0], np.arange(2))
    assert long.find(title) == 0 and long.find("heat") == 1
    assert long.search("heat", 5) == [1]
    for typed in (title, title[:200], part * LONG, f"{part}{last}"):
        assert set(long.search(typed, 5)) <= {0, 1}
        try:
            assert long.find(typed) == 0
        except UserError as error:
            assert "There is no movie" in str(error)
    assert time.process_time() - started < 1.5


def test_many_words_are_searched_in_bounded_time():
    titles = [f"{'a ' * (LONG // 2)}{row}" for row in range(20)]
    many = Titles(list(map(str, range(20))), titles, [0] * 20, np.arange(20))
    started = time.process_time()
    assert len(many.search("a " * 30_000, 10)) == 10
    assert many.search(" ".join(map(str, range(9000))), 10) == []
    assert time.process_time() - started < 1.5
