"""Server, command line, batch and Evaluator: the same answers for the same input."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from serving.batch import write_batch
from tests.models import USERS
from tests.serving.conftest import ROOT

EVERYONE = [str(user) for user in range(1, USERS + 1)]


def _command(models, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments, "--load", "--model-dir", str(models)],
        capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def batch(answers, tmp_path_factory):
    place = tmp_path_factory.mktemp("batch") / "all.parquet"
    rows = write_batch(answers.model, EVERYONE, 10, place)
    table = pq.read_table(place)
    assert len(table) == rows == 10 * USERS
    assert [path.name for path in place.parent.iterdir()] == ["all.parquet"]
    return table.to_pandas()


def _same(found, ids, scores, ratings):
    assert [movie["movie_id"] for movie in found["movies"]] == list(ids)
    for name, expected in (("score", scores), ("rating", ratings)):
        mine = [movie[name] for movie in found["movies"]]
        np.testing.assert_allclose(mine, expected, atol=1e-5)


def test_batch_and_server_agree_on_everyone(batch, client):
    for user in EVERYONE:
        own = batch[batch.user_id == user].sort_values("rank")
        found = client.post("/recommend", json={"user": user}).json()
        _same(found, own.movie_id, own.score, own.rating)


def test_tensorflow_servings_route_and_the_friendly_one_agree(batch, client):
    rows = [{"user_id": u, "history_movie_id": [], "history_rating": [], "k": 10} for u in EVERYONE]
    found = client.post("/v1/models/greenlight:predict", json={"instances": rows}).json()
    for user, row in zip(EVERYONE, found["predictions"], strict=True):
        own = batch[batch.user_id == user].sort_values("rank")
        assert row["movie_id"] == list(own.movie_id)
        np.testing.assert_allclose(row["score"], own.score, atol=1e-5)


def test_the_command_line_agrees_with_the_server(models, client):
    order = ("--rank-by", "retrieval")
    told = json.loads(_command(models, "recommend", "--user", "3", "-k", "5", *order, "--json"))
    asked = client.post("/recommend", json={"user": "3", "k": 5}).json()
    movies = asked["movies"]
    _same(told, *([m[key] for m in movies] for key in ("movie_id", "score", "rating")))
    assert told["source"] == asked["source"] == "user"


def test_groups_on_the_command_line_agree_with_the_server(models, client):
    told = json.loads(_command(
        models, "recommend", "--users", "3", "4", "--weights", "0.7", "0.3", "--rank-by", "rating",
        "--json",
    ))  # fmt: skip
    people = [{"user": "3", "weight": 0.7}, {"user": "4", "weight": 0.3}]
    movies = client.post("/group", json={"people": people, "mix": 1}).json()["movies"]
    _same(told, *([m[key] for m in movies] for key in ("movie_id", "score", "rating")))


def test_the_evaluator_ranks_and_rates_what_the_server_shows(models, answers, client):
    """For each of some held-out movies: rank in evaluation is the place in the server's list."""
    loaded = tf.saved_model.load(str(models / "1"))
    users, examples, targets = EVERYONE[:8], [], []
    every = answers.model.catalogue.ids
    for place, user in enumerate(users):
        history = answers.history(user)[::-1]
        seen = {event["movie_id"] for event in history}
        target = [movie for movie in every if movie not in seen][7 * place]
        features = {
            "user_id": _bytes([user]),
            "movie_id": _bytes([target]),
            "rating": tf.train.Feature(float_list=tf.train.FloatList(value=[3.0])),
            "gender": _bytes(["F"]),
            "history_movie_id": _bytes([event["movie_id"] for event in history]),
            "history_rating": tf.train.Feature(
                float_list=tf.train.FloatList(value=[event["rating"] for event in history])
            ),
        }
        example = tf.train.Example(features=tf.train.Features(feature=features))
        examples.append(example.SerializeToString())
        targets.append(target)
    judged = loaded.signatures["evaluate"](examples=tf.constant(examples))
    for row, (user, target) in enumerate(zip(users, targets, strict=True)):
        shown = client.post("/recommend", json={"user": user, "k": 500}).json()["movies"]
        ids = [movie["movie_id"] for movie in shown]
        rank = int(judged["rank"][row])
        assert (ids.index(target) + 1 if target in ids else 501) == min(rank, 501)
        rated = client.post("/rate", json={"user": user, "movies": [target]}).json()["movies"]
        assert rated[0]["rating"] == pytest.approx(float(judged["rating"][row]), abs=1e-5)


def _bytes(values):
    encoded = [value.encode() for value in values]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))
