"""What a source calls what it recommends."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import UserError
from schemas.source import load_source
from schemas.words import MOVIE, Item, item_of, plural

SOURCE = "ratings: {files: r.csv, columns: {user_id: u, movie_id: m}}\n"


@pytest.mark.parametrize(("one", "several"), [
    ("movie", "movies"), ("board game", "board games"), ("story", "stories"), ("toy", "toys"),
    ("dish", "dishes"), ("album", "albums"), ("box", "boxes"),
])  # fmt: skip
def test_a_plural(one: str, several: str) -> None:
    assert plural(one) == several and item_of([one]) == Item(one, several)


@pytest.mark.parametrize(("sentence", "said"), [
    ("Movies that a person rated", "Albums that a person rated"),
    ("holds a movie; of 3 movies one", "holds an album; of 3 albums one"),
    ("A movie's vector", "An album's vector"),
    ("the MovieLens data, moviegoers", "the MovieLens data, moviegoers"),
])  # fmt: skip
def test_a_sentence_on_movies_is_one_on_albums(sentence: str, said: str) -> None:
    assert Item("album", "albums").worded(sentence) == said


@given(st.text())
def test_without_a_word_of_its_own_nothing_changes(sentence: str) -> None:
    assert MOVIE.worded(sentence) is sentence


@pytest.mark.parametrize(("line", "item"), [
    ("", MOVIE), ("item: board game", ("board game", "board games")),
    ("item: [anime, anime]", ("anime", "anime")),
])  # fmt: skip
def test_a_source_says_it(line: str, item: tuple[str, str], tmp_path: Path) -> None:
    place = tmp_path / "own.yaml"
    place.write_text(SOURCE + line, encoding="utf-8")
    assert load_source(str(place)).items == item


@pytest.mark.parametrize("line", ["item: []", "item: ''", "item: [a, b, c]", f"item: {'x' * 31}"])
def test_what_is_no_word_is_one_sentence(line: str, tmp_path: Path) -> None:
    place = tmp_path / "own.yaml"
    place.write_text(SOURCE + line, encoding="utf-8")
    with pytest.raises(UserError, match=r"own\.yaml: item"):
        load_source(str(place))
