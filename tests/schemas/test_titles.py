"""Movies are found by what people type."""

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
