"""Counts of train and the catalogue against a plain reading of the Examples."""

import pytest

from components.examples import activity


@pytest.fixture(scope="module")
def train(example, write_records, tmp_path_factory):
    """Two files; the second user's ratings are cut into windows in both."""
    folder = tmp_path_factory.mktemp("train")
    windows = [
        [("a", ["m1", "m2"], [5.0, 0.5]), ("b", ["m1"], [3.0])],
        [("b", ["m3", "m2", "m9"], [3.0, 3.0, 0.5])],
    ]
    return [
        write_records(
            folder / f"{number}.gz",
            [example(user_id=u, movie_id=m, rating=r) for u, m, r in part],
        )
        for number, part in enumerate(windows)
    ]


def test_train_is_counted_over_windows_and_files(train):
    found = activity.count_train(train)
    assert found.ratings == {0.5: 2, 3.0: 3, 5.0: 1}
    assert sorted(found.per_user.tolist()) == [2, 4]
    assert dict(zip(found.movies, found.per_movie.tolist(), strict=True)) == {
        b"m1": 2, b"m2": 2, b"m3": 1, b"m9": 1,
    }  # fmt: skip


def test_movies_stand_as_in_the_catalogue_and_know_their_counts_and_genres(
    train, example, write_records, tmp_path
):
    path = write_records(
        tmp_path / "c.gz",
        [
            example(movie_id=m, movie_title=m, genres=g)
            for m, g in (("m9", ["War"]), ("m1", ["Drama", "War"]), ("m2", [""]), ("m3", ["Noir"]))
        ],
    )
    catalogue, movies = activity.read_movies([path], train)
    assert catalogue.ids.to_pylist() == [b"m9", b"m1", b"m2", b"m3"]
    assert catalogue.values("genres") == [[b"War"], [b"Drama", b"War"], [], [b"Noir"]]
    assert movies.counts.tolist() == [1, 2, 2, 1] and movies.users == 2
    assert movies.genres.tolist() == [  # Drama, Noir, War
        [False, False, True], [True, False, True], [False] * 3, [False, True, False],
    ]  # fmt: skip
