"""The catalogue, read from Examples: one typed table for whoever asks."""

import pytest

from components.examples.catalogue import read_catalogue


@pytest.fixture
def files(example, write_records, tmp_path):
    movies = [
        example(movie_id="a", movie_title="Same", year=1995, genres=["Drama", "Comedy"], star=""),
        example(movie_id="b", movie_title="Same", year=0, genres=[], star="Y"),
        example(movie_id="c", movie_title="Ça", year=2001, genres=["Drama", "0"], star="X"),
    ]
    parts = ("1.gz", movies[:2]), ("2.gz", movies[2:])
    return [write_records(tmp_path / name, part) for name, part in parts]


def test_what_is_known_is_read_in_the_files_order(files):
    movies = read_catalogue(files, ["year", "genres", "director", "star"]).known_features()
    assert len(movies) == 3
    assert movies.ids.to_pylist() == [b"a", b"b", b"c"]
    assert movies.titles.to_pylist() == [b"Same", b"Same", "Ça".encode()]
    assert {name: movies.values(name) for name in movies.features} == {
        "year": [[b"1995"], [], [b"2001"]],
        "genres": [[b"Drama", b"Comedy"], [], [b"Drama", b"0"]],
        "star": [[], [b"Y"], [b"X"]],
    }
    assert read_catalogue(files[::-1]).ids.to_pylist() == [b"c", b"a", b"b"]


def test_values_one_by_one_name_their_movies(files):
    rows, values = read_catalogue(files, ["genres"]).known("genres")
    assert rows.tolist() == [0, 0, 2, 2]
    assert values.to_pylist() == [b"Drama", b"Comedy", b"Drama", b"0"]


def test_a_feature_that_is_asked_for_is_there_though_nothing_is_known_of_it(files):
    movies = read_catalogue(files, ["director", "star"])
    assert list(movies.features) == ["director", "star"]
    assert movies.values("director") == [[], [], []]
    assert movies.values("genres") == [[], [], []] and not len(movies.known("genres")[0])


def test_a_catalogue_of_ids_and_titles_has_no_features(example, write_records, tmp_path):
    file = write_records(tmp_path / "1.gz", [example(movie_id="a", movie_title="a")])
    movies = read_catalogue([file], ["year"]).known_features()
    assert movies.features == {} and movies.values("year") == [[]]


def test_an_empty_catalogue_has_no_movies(write_records, tmp_path):
    assert len(read_catalogue([write_records(tmp_path / "1.gz", [])])) == 0
