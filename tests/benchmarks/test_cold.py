"""Texts that hold nothing of later, and what the peers say of movies that nobody rated."""

from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import cold_peers
from benchmarks.cold import kinds_of, limited
from benchmarks.cold_data import with_texts
from benchmarks.data import Ragged, Rows, Split
from schemas.source import load_source


def _rows(movie: list[int], histories: list[list[int]], ratings: list[list[float]]) -> Rows:
    number = np.arange(len(movie))
    offsets = np.cumsum([0, *map(len, histories)])
    nothing = Ragged(np.zeros(0, int), np.zeros(len(movie) + 1, int))
    return Rows(
        number, number, np.array(movie), np.full(len(movie), 4.0), number,
        Ragged(np.array([*chain(*histories)], int), offsets),
        np.array([*chain(*ratings)], float), np.zeros(offsets[-1]), nothing,
    )  # fmt: skip


@pytest.fixture
def split() -> Split:
    """Movies 0 and 1 are of war, 2 and 3 of love; nobody rated 1 and 3."""
    train = _rows([0, 0, 0, 2], [[]] * 4, [[]] * 4)
    held_out = _rows([1, 3], [[0], [2, 0]], [[5.0], [5.0, 1.0]])
    return Split(4, 4, (1.0, 5.0), train, held_out, held_out)


WORDS = ["war tanks", "war tanks", "love letters", "love letters"]
GENRES = [[b"War"], [b"War"], [b"Love"], [b"Love"]]


def test_kinds_of_movies(split: Split) -> None:
    kinds = kinds_of(split)
    assert kinds["cold"].tolist() == [False, True, False, True]
    many = SimpleNamespace(
        train=SimpleNamespace(movie=np.repeat(np.arange(20), np.arange(20, 0, -1))), movies=25
    )
    rare: Any = kinds_of(many)["rare"]  # type: ignore[arg-type]
    assert np.flatnonzero(rare).tolist() == [18, 19]


def test_texts_and_genres_find_what_nobody_rated(split: Split) -> None:
    vectors, genres = cold_peers.text_vectors(WORDS), cold_peers.genre_matrix(GENRES)
    for scorer in (cold_peers.by_text(split, vectors), cold_peers.by_genre(split, genres)):
        scores = scorer(split.eval, 0, 2)
        assert scores[0, 1] > scores[0, 3] and scores[0, 0] > scores[0, 2]
        among = limited(scorer, kinds_of(split)["cold"])(split.eval, 0, 2)
        assert np.isfinite(among).tolist() == [[False, True, False, True]] * 2
    liked = cold_peers.by_text(split, vectors)(split.eval, 0, 2)
    assert liked[1, 3] > liked[1, 1]  # who gave love 5 and war 1


def test_ratings_of_like_movies_are_drawn_to_what_those_got(split: Split) -> None:
    rate = cold_peers.rated_alike(split, cold_peers.text_vectors(WORDS))
    war, love = cold_peers.predicted(split, rate)
    mean = (5.0 + 5 * 4.0) / 6
    assert war == pytest.approx(mean + (5.0 - mean) / 2)
    mean = (6.0 + 5 * 4.0) / 7
    assert love == pytest.approx(mean + (5.0 - mean) / 2)


def test_a_text_holds_no_tag_of_after_eval_begins(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    rows = [f"1,{movie},4,{1000 + movie}" for movie in range(20)]
    files = {
        "ratings.csv": ["userId,movieId,rating,timestamp", *rows],
        "movies.csv": ["movieId,title,genres", '0,"Zero, The (1999)",Drama', "1,One (2000),War"],
        "tags.csv": ["userId,movieId,tag,timestamp", "1,0,early bird,1016", "1,0,late,1018"],
    }
    for name, lines in files.items():
        (data / name).write_text("\n".join([*lines, ""]))
    made = with_texts("movielens-latest", data, out)
    assert made.until == 1017  # the newest two of twenty ratings are eval's
    assert (out / "movies.csv").read_text().splitlines()[1:] == [
        '0,"Zero, The (1999)",Drama,"Zero, The (1999) early bird"', "1,One (2000),War,One (2000)",
    ]  # fmt: skip
    assert load_source(str(made.source)).features.texts == ("words",)
