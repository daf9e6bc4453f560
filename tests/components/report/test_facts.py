"""What the page shows of data, people and slices, against a plain reading of the Examples."""

import math

import numpy as np
import pytest
import tensorflow as tf

from components.evaluation import bands
from components.examples import activity
from components.pages.histograms import histogram
from components.report import facts, people


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
    ids, movies = activity.read_movies([path], train)
    assert ids["movie_id"].to_pylist() == [b"m9", b"m1", b"m2", b"m3"]
    assert ids["genres"].to_pylist() == [[b"War"], [b"Drama", b"War"], [], [b"Noir"]]
    assert movies.counts.tolist() == [1, 2, 2, 1] and movies.users == 2
    assert movies.genres.tolist() == [  # Drama, Noir, War
        [False, False, True], [True, False, True], [False] * 3, [False, True, False],
    ]  # fmt: skip


def test_histograms_cover_every_count_once():
    counts = np.array([1, 1, 2, 4, 5, 99, 100, 10**6])
    rows = histogram(counts)
    assert sum(row["number"] for row in rows) == len(counts)
    shown = {row["bucket"]: row["number"] for row in rows}
    assert (shown["1"], shown["2-4"], shown["50-99"], shown["100,000 or more"]) == (2, 2, 1, 1)
    assert histogram(np.array([], int)) == []


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
        ]
    )
    def recommend(user_id, history_movie_id, history_rating, k, exclude_movie_id, genres):
        newest = history_movie_id[:, -1:]
        return {
            "movie_id": tf.concat([newest, exclude_movie_id[:, -1:]], 1),
            "rating": tf.concat([history_rating[:, -1:]] * 2, 1),
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
    assert [movie["rating"] for movie in found[3]["history"]] == list(range(30, 20, -1))
    assert found[1]["recommended"][0]["title"] == "movie x0"
    told = [[movie["title"] for movie in person["recommended"]] for person in found]
    assert told[3] == ["movie x30", "movie old"]  # the stub's list is what it was told to leave out
    assert found[3]["rated"] == 32
    assert people.recommend(served, [], catalogue, 2) == []


def test_differences_by_slice_are_turned_to_the_candidates_favour(make_evaluation, gates):
    rows = facts.slice_rows(gates, make_evaluation(compared=True, **{
        "change/rmse": -0.2, "change/rmse/low": -0.3, "change/rmse/high": -0.1,
        "change/hit_rate@10": -0.2, "change/hit_rate@10/low": -0.3, "change/hit_rate@10/high": -0.1,
    }))  # fmt: skip
    rmse, hits = rows["rmse"][0], rows["hit_rate@10"][0]
    assert (rmse["value"], rmse["low"], rmse["high"], rmse["verdict"]) == (0.2, 0.1, 0.3, "better")
    assert (hits["value"], hits["low"], hits["high"], hits["verdict"]) == (
        -0.2, -0.3, -0.1, "worse",
    )  # fmt: skip
    assert [row["label"] for row in rows["rmse"]][:2] == ["overall", "gender=F"]
    assert [row["judged"] for row in rows["rmse"]] == [True, True, False]
    alone = facts.slice_rows(gates, make_evaluation())["rmse"][0]
    assert alone["value"] == make_evaluation().candidate["overall"]["gain/rmse"]


def test_slices_stand_in_the_order_that_people_expect():
    names = ["genre=War", "history=more than 20", "overall", "history=0", "decade=1990s",
             "history=6-20", "age=18,gender=F", "user=cold", "history=1-5"]  # fmt: skip
    assert sorted(names, key=facts.slice_order) == [
        "overall", "history=0", "history=1-5", "history=6-20", "history=more than 20",
        "user=cold", "genre=War", "decade=1990s", "age=18,gender=F",
    ]  # fmt: skip


def test_calibration_and_error_by_rating():
    scale = (1.0, 3.0)
    outputs = {
        "rating": np.array([1.1, 1.2, 2.9, math.nan]), "bias_rating": np.full(4, 2.0),
        "label": np.array([1.0, 2.0, 3.0, 3.0]),
    }  # fmt: skip
    banded = bands.sums(outputs, scale) + bands.none(scale)
    rows = facts.rating_rows(banded, scale)
    own = [row for row in rows["calibration"] if row["model"] == "candidate"]
    assert [(round(r["predicted"], 3), r["true"], r["ratings"]) for r in own] == [
        (1.15, 1.5, 2), (2.9, 3.0, 1),
    ]  # fmt: skip
    error = {(r["model"], r["rating"]): r["rmse"] for r in rows["error"]}
    assert error[("candidate", 1.0)] == pytest.approx(0.1)
    assert error[("baseline", 2.0)] == 0.0
    assert ("candidate", 3.0) not in error  # one of its predictions is no number
    expected = (2 * abs(1.15 - 1.5) + abs(2.9 - 3.0)) / 3
    assert bands.calibration_error(banded) == pytest.approx(expected)
    assert facts.rating_rows(None, scale) == {"calibration": [], "error": []}


@pytest.mark.parametrize(
    ("scale", "count"), [((0.5, 5.0), 10), ((1.0, 5.0), 9), ((0.0, 10.0), 21), ((1.0, 100.0), 21)]
)
def test_bands_are_few_and_reach_both_ends(scale, count):
    middles = bands.centres(scale)
    assert len(middles) == count
    assert middles[0] == scale[0] and abs(middles[-1] - scale[1]) <= middles[1] - middles[0]
