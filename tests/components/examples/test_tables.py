"""Examples as Arrow tables, and their targets one by one."""

import pytest

from components.examples.tables import add_up, tables, targets, targets_per_user


@pytest.fixture
def files(example, write_records, tmp_path):
    whole = [
        example(user_id="u", movie_id=["a", "b"], rating=[1.0, 2.0]),
        example(user_id="v", movie_id=["a"], rating=[3.0]),
        example(user_id="u", movie_id=["c", "d", "e"], rating=[4.0, 5.0, 6.0]),
    ]
    parts = ("1.gz", whole[:1]), ("2.gz", whole[1:])
    return [write_records(tmp_path / name, part) for name, part in parts]


def test_targets_are_laid_out_with_the_number_of_their_example(files):
    (batch,) = tables(files, ("movie_id", "rating", "nothing"))
    assert batch.column_names == ["movie_id", "rating"]
    assert targets(batch, ["rating", "movie_id"], first=7).to_pydict() == {
        "rating": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "movie_id": [b"a", b"b", b"a", b"c", b"d", b"e"],
        "example": [7, 7, 8, 9, 9, 9],
    }


def test_users_targets_add_up_over_batches(files):
    batches = [batch for file in files for batch in tables([file], ("user_id", "movie_id"))]
    users, counts = add_up([targets_per_user(batch) for batch in batches])
    assert dict(zip(users.to_pylist(), counts.to_pylist(), strict=True)) == {b"u": 5, b"v": 1}
