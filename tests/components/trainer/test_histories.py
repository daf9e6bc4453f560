"""What serving stores of users: every split's ratings, in order, all of them."""

import pytest

from components.examples.catalogue import read_catalogue
from components.examples.paths import split_files
from components.trainer.component import held_out_files
from components.trainer.gather import make_lookup as make_lookup_of
from components.trainer.histories import read_users
from schemas.artifacts import CATALOGUE, UNJUDGED
from tests.components.example_gen.small_data import make, small_rows, write_tables


@pytest.fixture
def files(tmp_path, example, write_records):
    """Two splits: u1's later ratings and all of a stranger's are in the second."""
    train = [
        example(user_id="u1", gender="F", movie_id=["m0", "m3"], rating=[5.0, 2.0],
                timestamp=[10, 20]),
        example(user_id="u0", movie_id=["m1"], rating=[1.0], timestamp=[15]),
        example(user_id="u1", gender="F", movie_id=["m2"], rating=[3.0], timestamp=[30]),
    ]  # fmt: skip
    held_out = [
        example(user_id="new", gender="M", movie_id=["m5"], rating=[4.0], timestamp=[5]),
        example(user_id="u1", gender="F", movie_id=["m7"], rating=[4.5], timestamp=[12],
                history_movie_id=["m9"], history_rating=[1.0]),
    ]  # fmt: skip
    return [
        write_records(tmp_path / name, found)
        for name, found in (("train", train), ("eval", held_out))
    ]


def _events(users, user):
    row = users.ids.index(user)
    own = slice(users.offsets[row], users.offsets[row + 1])
    return list(zip(users.movies[own].tolist(), users.ratings[own].tolist(), strict=True))


def test_all_splits_are_merged_in_order_of_time(files, make_facts, make_lookup):
    facts = make_facts()
    users = read_users(files, make_lookup(facts), facts.user_ids)
    assert users.ids == [b"u0", b"u1", b"u2", b"u3", b"new"]
    assert _events(users, b"u1") == [(0, 5.0), (7, 4.5), (3, 2.0), (2, 3.0)]
    assert _events(users, b"new") == [(5, 4.0)]
    assert _events(users, b"u2") == []
    assert users.features[users.ids.index(b"u1")].tolist() == [0, 1]
    assert users.features[users.ids.index(b"new")].tolist() == [1, 1]
    assert users.features[users.ids.index(b"u2")].tolist() == [2, 1]


def test_nothing_is_cut_off_however_much_a_user_rated(tmp_path, example, write_records, make_facts,
                                                      make_lookup):  # fmt: skip
    facts = make_facts(movies=2_000)
    movies = [f"m{movie}" for movie in range(1_800)]
    parts = [
        write_records(
            tmp_path / name,
            [example(user_id="u1", movie_id=own, rating=[3.5] * len(own), timestamp=times)],
        )
        for name, own, times in (
            ("train", movies[:1_700], [*range(1_700)]),
            ("eval", movies[1_700:], [*range(1_700, 1_800)]),
        )
    ]
    users = read_users(parts, make_lookup(facts), facts.user_ids)
    assert _events(users, b"u1") == [(movie, 3.5) for movie in range(1_800)]


def test_ratings_that_are_too_many_to_judge_by_are_stored_too(tmp_path):
    data = write_tables(tmp_path / "data")
    make(data, tmp_path, most_eval=25)
    examples = str(tmp_path / "examples")
    catalogue = read_catalogue(split_files(str(tmp_path / "catalogue"), CATALOGUE), [])
    ids = sorted({row[0].encode() for row in small_rows()})
    lookup = make_lookup_of(catalogue, {"user_id": ids})
    files = [*split_files(examples, "train"), *split_files(examples, "valid")]
    users = read_users([*files, *held_out_files(examples)], lookup, ids)
    for user in ids:
        own = [catalogue.ids[row].as_py() for row, _ in _events(users, user)]
        assert sorted(own) == sorted(m.encode() for u, m, *_ in small_rows() if u.encode() == user)
    assert split_files(examples, UNJUDGED)


@pytest.mark.parametrize("times", [True, False], ids=["one moment", "no times"])
def test_within_a_moment_the_files_order_does_not_count(
    tmp_path, example, write_records, make_facts, make_lookup, times
):
    facts = make_facts()
    movies = [f"m{movie}" for movie in range(12)]
    found = []
    for name, order in (("as it comes", movies), ("turned", movies[::-1])):
        parts = [order[:7], order[7:]]
        stamps = [{"timestamp": [5] * len(own)} if times else {} for own in parts]
        paths = [
            write_records(
                tmp_path / f"{name}-{part}",
                [example(user_id="u0", movie_id=own, rating=[1.0] * len(own), **stamp)],
            )
            for part, (own, stamp) in enumerate(zip(parts, stamps, strict=True))
        ]
        found.append(_events(read_users(paths, make_lookup(facts), facts.user_ids), b"u0"))
    assert found[0] == found[1] and sorted(found[0]) == [(movie, 1.0) for movie in range(12)]
    assert found[0] != sorted(found[0])
