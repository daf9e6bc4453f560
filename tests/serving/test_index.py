"""The approximate model: what it finds, that all else is the exact model's, and its gates."""

import re
import sys
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.synthetic_model import export_random
from pipeline.cli import app
from schemas.errors import UserError
from schemas.stack import TFX_1_16, TFX_1_21, installed
from serving import index_command, model
from serving.answers import Answers
from serving.approximate import Search, build
from serving.index_command import Worth, measure
from serving.model import Model
from serving.requests import RecommendRequest
from serving.versions import warm_up

NO_SCANN = "no ScaNN is built for this TensorFlow"
WITH_SCANN = pytest.mark.skipif(not installed().has_scann, reason=NO_SCANN)
MOVIES, USERS, EVENTS = 9_000, 60, 150  # events: more than the model reads


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An exact model whose popularity is nearly flat, so that lists come from everywhere."""
    path = tmp_path_factory.mktemp("models")
    export_random(path / "7", MOVIES, USERS, EVENTS, skew=0.05)
    return path


@pytest.fixture(scope="module")
def exact(folder):
    return Model(folder / "7")


@pytest.fixture(scope="module")
def approximate(exact, tmp_path_factory):
    if not installed().has_scann:
        pytest.skip(NO_SCANN)
    path = tmp_path_factory.mktemp("index") / "7"
    build(exact.path, Search(searched=0.9)).save(path)
    return Model(path)


def _lists(model, users, k=10, history=((),)):
    movies = [[name for name, _ in own] for own in history]
    ratings = [[rating for _, rating in own] for own in history]
    return model.call(
        "recommend", user_id=users, history_movie_id=movies, history_rating=ratings, k=k
    )


def test_it_finds_nearly_all_beyond_the_movies_that_are_always_scored(exact, approximate):
    theirs, ours = (_lists(model, exact.users) for model in (exact, approximate))
    front = {approximate.catalogue.ids[row] for row in np.argsort(-exact.catalogue.ratings)[:4096]}
    tail = [movie for row in theirs["movie_id"] for movie in row if movie.decode() not in front]
    assert len(tail) > USERS  # the exact lists need the index
    shared = [
        len({*a} & {*b}) / 10 for a, b in zip(theirs["movie_id"], ours["movie_id"], strict=True)
    ]
    assert np.mean(shared) > 0.95


def test_what_both_find_has_the_same_score_and_rating(exact, approximate):
    theirs, ours = (_lists(model, exact.users) for model in (exact, approximate))
    for name in ("score", "rating"):
        for row in range(USERS):
            known = dict(zip(theirs["movie_id"][row], theirs[name][row], strict=True))
            for movie, value in zip(ours["movie_id"][row], ours[name][row], strict=True):
                assert movie not in known or known[movie] == pytest.approx(value, abs=1e-4)


def test_nothing_seen_is_listed_and_nothing_twice(exact, approximate):
    found = _lists(approximate, exact.users, k=200)["movie_id"]
    for user, row in zip(exact.users, found, strict=True):
        seen = {*exact.call("history", user_id=[user])["movie_id"][0]} - {b""}
        assert len(seen) == EVENTS and len({*row}) == 200 and not seen & {*row}


def test_strangers_get_what_the_exact_model_gives_them(exact, approximate):
    history = [[(exact.catalogue.ids[row], 4.0) for row in (5, 4321, 8000)]]
    for users, own in ((["nobody"], [()]), (["nobody"], history)):
        theirs, ours = (_lists(model, users, history=own) for model in (exact, approximate))
        assert ours["source"] == theirs["source"]
        assert ours["known"] == theirs["known"]
        assert len({*ours["movie_id"][0]} & {*theirs["movie_id"][0]}) >= 9


def test_each_row_may_ask_for_another_number(approximate):
    found = _lists(approximate, approximate.users[:3], k=[2, 0, 5])["movie_id"]
    assert [(row != b"").sum() for row in found] == [2, 0, 5]


def test_the_server_takes_it_like_any_other(approximate):
    answers = Answers(approximate)
    warm_up(answers)
    listed = _lists(approximate, approximate.users[:1])
    plain = answers.recommend(RecommendRequest(user=approximate.users[0]))
    assert [m["movie_id"].encode() for m in plain["movies"]] == listed["movie_id"][0].tolist()
    assert [m["score"] for m in plain["movies"]] == pytest.approx(listed["score"][0].tolist())


def test_requests_with_wishes_are_answered_exactly(exact, approximate):
    wish = RecommendRequest(user=exact.users[0], genres=["Drama"])
    assert Answers(approximate).recommend(wish) == Answers(exact).recommend(wish)


def test_a_model_whose_movies_are_all_scored_needs_no_index(models):
    done = CliRunner().invoke(app, ["index", "--model-dir", str(models)])
    assert "scored exactly" in str(done.exception)


@WITH_SCANN
@pytest.mark.usefixtures("loads_once")
def test_an_index_that_finds_too_little_is_not_written(folder, tmp_path):
    arguments = ["index", "--model-dir", str(folder), "--output", str(tmp_path / "index")]
    done = CliRunner().invoke(app, [*arguments, "--recall", "1", "--searched", "0.001"])
    assert done.exit_code == index_command.NOT_WORTH_IT
    assert "failed" in done.output and not list((tmp_path / "index").iterdir())


@WITH_SCANN
@pytest.mark.usefixtures("loads_once")
def test_an_index_that_is_worth_it_is_written_whole(folder, tmp_path, monkeypatch):
    # Which of the two is faster here, with so few movies, is no matter of this test.
    monkeypatch.setattr(index_command, "measure", lambda *_: Worth(0.99, 2.0, 1.0))
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "of the last time").touch()
    done = CliRunner().invoke(app, ["index", "--model-dir", str(folder), "--output", str(tmp_path)])
    assert done.exit_code == 0 and [path.name for path in tmp_path.iterdir()] == ["7"]
    assert Model(tmp_path / "7").users and not (tmp_path / "7" / "of the last time").exists()


@pytest.mark.parametrize(
    ("stack", "advice"),
    [(TFX_1_16, "pip install 'greenlight[index]'"), (TFX_1_21, "GREENLIGHT_STACK=tfx1.16")],
)
def test_without_scann_a_sentence_says_how_to_have_it(stack, advice, exact, monkeypatch):
    monkeypatch.setattr(model, "installed", lambda: stack)
    monkeypatch.setitem(sys.modules, "scann.scann_ops.py", None)
    with pytest.raises(UserError, match=re.escape(advice)):
        build(exact.path, Search(searched=0.9))


class Half:
    """Finds the first half of each exact list."""

    def __init__(self, exact):
        self._exact = exact

    def call(self, signature, **inputs):
        found = self._exact.call(signature, **inputs)
        movies = found["movie_id"].copy()
        movies[:, movies.shape[1] // 2 :] = b"no such movie"
        return {**found, "movie_id": movies}


def test_what_is_measured_is_the_share_of_the_exact_lists(exact):
    assert measure(exact, exact, 10).recall == 1.0
    half: Any = Half(exact)
    assert measure(exact, half, 10).recall == 0.5


@pytest.mark.parametrize(
    ("worth", "passes"),
    [(Worth(0.95, 2.0, 1.9), True), (Worth(0.94, 2.0, 1.0), False), (Worth(1.0, 2.0, 2.0), False)],
)
def test_it_must_find_enough_and_sooner(worth, passes):
    assert worth.passes(0.95) is passes
