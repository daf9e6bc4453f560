"""Whom the page shows, and that their lists are what is served."""

import pytest
import tensorflow as tf

from components.report import people


@pytest.fixture(scope="module")
def eval_file(example, write_records, tmp_path_factory):
    lengths = {"a": (3, 5), "b": (0, 1), "c": (9, 10), "d": (30, 31)}
    rows = [
        example(user_id=user, movie_id=["m1"], rating=[3.0],
                history_movie_id=[f"x{i}" for i in range(pair[moment])],
                history_rating=[float(i) for i in range(pair[moment])],
                seen_movie_id=["old"] * (user == "d"))
        for moment in (0, 1)
        for user, pair in lengths.items()
    ]  # fmt: skip
    return write_records(tmp_path_factory.mktemp("eval") / "e.gz", rows)


def test_people_have_short_to_long_histories_at_their_last_moment(eval_file):
    chosen = people.choose([eval_file])
    found = [(row["user_id"][0], len(row["history_movie_id"] or [])) for row in chosen]
    assert found == [(b"b", 0), (b"b", 1), (b"c", 10), (b"d", 31)]


def test_people_are_shown_what_the_served_signature_answers(eval_file, tmp_path):
    module = tf.Module()

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "user_id"),
            tf.TensorSpec([None, None], tf.string, "history_movie_id"),
            tf.TensorSpec([None, None], tf.float32, "history_rating"),
            tf.TensorSpec([], tf.int32, "k"),
            tf.TensorSpec([None, None], tf.string, "exclude_movie_id"),
            tf.TensorSpec([None, None], tf.string, "genres"),
            tf.TensorSpec([None], tf.float32, "mix"),
            tf.TensorSpec([None], tf.int32, "retrieve"),
        ]
    )
    def recommend(
        user_id, history_movie_id, history_rating, k, exclude_movie_id, genres, mix, retrieve
    ):
        newest = history_movie_id[:, -1:]
        return {
            "movie_id": tf.concat([newest, exclude_movie_id[:, -1:]], 1),
            "rating": tf.concat([history_rating[:, -1:]] * 2, 1) + mix,
            "known": tf.strings.length(newest[:, 0]) > 0,
        }

    tf.saved_model.save(module, str(tmp_path), {"recommend_filtered": recommend})
    catalogue = {b"x9": {"title": "<b>Nine</b>", "genres": "War"}}
    chosen = people.choose([eval_file])
    served = tf.saved_model.load(str(tmp_path))
    found = people.recommend(served, chosen, catalogue, 2)
    assert [person["known"] for person in found] == [False, True, True, True]
    assert found[0]["history"] == [] and found[0]["recommended"] == []
    assert found[2]["recommended"] == [{"title": "<b>Nine</b>", "genres": "War", "rating": 9.0}]
    assert found[2]["mixed"][0]["rating"] == 9.0 + people.MIX  # what the stub was told
    assert [movie["rating"] for movie in found[3]["history"]] == list(range(30, 20, -1))
    assert found[1]["recommended"][0]["title"] == "movie x0"
    told = [[movie["title"] for movie in person["recommended"]] for person in found]
    assert told[3] == ["movie x30", "movie old"]  # the stub's list is what it was told to leave out
    assert found[3]["rated"] == 32
    assert people.recommend(served, [], catalogue, 2) == []
