"""A model that was trained without ratings, and one with some, through every door."""

import json

import jsonschema
import pyarrow.parquet as pq
import pytest

from benchmarks.synthetic_model import export_random
from serving.batch import SCHEMA, write_batch
from serving.versions import Versions, choose
from tests.browser import browser
from tests.golden import check
from tests.serving import shapes

SENTENCE = "This model was trained without ratings: it cannot predict any"
LIKED = [{"movie": "toy story"}, {"movie": "Heat (1995)", "rating": 5}]
MOVIES, USERS = 60, 6


@pytest.fixture(scope="module")
def folder(light):
    return light


@pytest.fixture(scope="module")
def partly(tmp_path_factory):
    """Answers of a model in which every second event is rated."""
    made = tmp_path_factory.mktemp("partly")
    export_random(made / "1", MOVIES, USERS, events=8, rated=0.5)
    return choose(made)


@pytest.fixture(scope="module")
def unrated(start, folder):
    with start(folder) as running:
        yield running


@pytest.fixture(scope="module")
def ask(unrated):
    """Asks a route; the answer must be JSON without NaN, of the form that the document promises."""
    import httpx

    with httpx.Client(base_url=unrated.url, timeout=60) as client:
        document = client.get("/openapi.json").json()

        def asked(method, path, route=None, status=200, **more):
            found = client.request(method, path, **more)
            assert found.status_code == status, found.text
            content = json.loads(found.text, parse_constant=pytest.fail)
            if route:
                answers = document["paths"][route][method]["responses"][str(status)]
                schema = answers["content"]["application/json"]["schema"]
                jsonschema.validate(content, {**schema, "components": document["components"]})
            return content

        yield asked


def test_the_signatures_of_a_model_without_ratings(folder):
    check("signatures_without_ratings", shapes.signatures(folder / "1"))


def test_every_route_answers_without_ratings(ask):
    about = ask("get", "/about", "/about")
    assert about["scale"] is None and about["movies"] == MOVIES and about["mix"] == 0
    assert about["item"] == ["song", "songs"]
    for body in ({"user": "3"}, {"history": LIKED, "k": 5}, {}):
        found = ask("post", "/recommend", "/recommend", json=body)
        assert len(found["movies"]) == body.get("k", 10)
        assert {movie["rating"] for movie in found["movies"]} == {None}
        assert {event["rating"] for event in found["history"]} <= {None}
    names = ["Heat", "toy story"]
    ranked = ask("post", "/rank", "/rank", json={"user": "3", "movies": names})["movies"]
    scores = [movie["score"] for movie in ranked]
    assert len(scores) == 2 and scores == sorted(scores, reverse=True)
    people = [{"user": "3"}, {"history": LIKED}]
    together = ask("post", "/group", "/group", json={"people": people})["movies"]
    assert len(together) == 10 and {movie["ratings"] for movie in together} == {None}
    told = ask("post", "/explain", "/explain", json={"user": "3", "movie": "heat"})["history"]
    assert len(told) == 8 and any(event["effect"] for event in told)
    assert {(event["rating"], event["rating_effect"]) for event in told} == {(None, None)}
    stored = ask("get", "/users/3/history", "/users/{user}/history")["history"]
    assert len(stored) == 8 and {event["rating"] for event in stored} == {None}
    ask("get", "/similar?movie=heat", "/similar")


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/rate", {"user": "3", "movies": ["Heat"]}),
        ("/recommend", {"user": "3", "mix": 0.5}),
        ("/rank", {"user": "3", "movies": ["Heat"], "mix": 1}),
        ("/group", {"people": [{"user": "3"}], "mix": 1}),
    ],
)
def test_asked_for_ratings_it_says_that_it_has_none(ask, route, body):
    assert ask("post", route, route, status=400, json=body)["error"].startswith(SENTENCE)


def test_tensorflow_servings_routes_know_no_signature_of_ratings(ask):
    def predict(status=200, **body):
        return ask("post", "/v1/models/greenlight:predict", status=status, json=body)

    row = {"user_id": "3", "history_movie_id": [], "history_rating": [], "k": 3}
    (found,) = predict(instances=[row])["predictions"]
    assert found.keys() == {"movie_id", "movie_title", "score", "known", "source"}
    error = predict(400, signature_name="rate", instances=[row])["error"]
    assert error == 'Serving signature name: "rate" not found in signature def'
    asked = {"movie_id": [["1"]], "user_id": ["3"], "history_movie_id": [[]],
             "history_rating": [[]], "gender": [""], "age": [""], "occupation": [""]}  # fmt: skip
    rank = {"signature_name": "rank", "inputs": {**asked, "mix": [0.0]}}
    assert predict(**rank)["outputs"]["movie_id"] == [["1"]]
    assert SENTENCE in predict(400, signature_name="rank", inputs={**asked, "mix": [1.0]})["error"]
    told = predict(signature_name="history", instances=[{"user_id": "3"}])["predictions"]
    assert told[0].keys() == {"movie_id", "movie_title", "known"}


def test_the_page_shows_no_stars(unrated):
    with browser() as tab:
        tab.look(1200)
        tab.open(unrated.url, "document.querySelectorAll('#movies .name').length === 10")
        before = int(tab.js("document.querySelector('#movies').dataset.asked"))
        tab.js("document.querySelector('[data-person=\"0\"] input').focus()")
        tab.type("toy story")
        tab.wait_for("document.querySelectorAll('.options:not([hidden]) [role=option]').length")
        tab.press("Enter")
        tab.wait_for(f"document.querySelector('#movies').dataset.asked > {before}")
        text = tab.js("document.body.innerText")
        assert "Toy Story" in text and "60 songs, no ratings" in text
        assert "Name two or three songs" in text and "from the songs you named" in text
        assert "movie" not in text.lower()
        assert "★" not in text and "stars" not in text
        assert tab.js("document.querySelector('#mix').closest('.of-ratings').hidden")
        tab.click(".why")
        tab.wait_for("document.querySelector('.reasons')")
        assert "★" not in tab.js("document.querySelector('#movies').innerText")
        assert tab.complaints() == []


@pytest.fixture
def run(folder, loads_once, greenlight):
    return lambda *arguments: greenlight(*arguments, "--model-dir", folder)


@pytest.mark.parametrize(
    "arguments",
    [
        ["rate", "--user", "3", "--movie", "heat"],
        ["recommend", "--user", "3", "--rank-by", "rating"],
        ["recommend", "--users", "1", "2", "--rank-by", "0.5"],
    ],
)
def test_the_command_line_says_it_in_one_sentence(run, arguments):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert err.startswith(f"greenlight: {SENTENCE}")


def test_the_command_line_recommends(run):
    for arguments in (["--user", "3"], ["--liked", "toy story", "heat=4"], ["--users", "1", "2"]):
        status, out, _ = run("recommend", *arguments, "-k", "3")
        assert status == 0 and "rating" not in out and "nan" not in out
        assert " song " in out and "the movies" not in out
    status, out, _ = run("recommend", "--user", "3", "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert [movie["rating"] for movie in found["movies"]] == [None] * 10


def test_batch_has_nulls_for_ratings(folder, tmp_path):
    model = choose(folder).model
    assert write_batch(model, model.users, 4, tmp_path / "all.parquet") == 4 * USERS
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.schema.names == SCHEMA.names and table["rating"].null_count == 4 * USERS
    assert table["score"].null_count == 0


def test_it_comes_into_service(folder):
    versions = Versions(folder)
    versions.refresh()
    assert versions.version == "1" and versions.refused == {}


def test_what_is_seen_and_not_rated_has_no_rating(partly):
    from serving.requests import ExplainRequest, RateRequest, RecommendRequest

    stored = partly.history("3")
    ratings = [event["rating"] for event in stored]
    assert len(stored) == 8 and 0 < ratings.count(None) < 8
    assert all(0.5 <= rating <= 5 for rating in ratings if rating is not None)
    told = partly.explain(ExplainRequest(user="3", movie="heat"))["history"]
    shown = {event["movie_id"]: event["rating"] for event in told}
    assert shown == {event["movie_id"]: event["rating"] for event in stored}
    assert all(event["rating_effect"] is not None for event in told)
    # Given back as it was told, the history is read as it is stored.
    again = [{"movie": event["movie_id"], "rating": event["rating"]} for event in stored[::-1]]
    named = partly.recommend(RecommendRequest(user="3", history=again))["movies"]
    by_id = partly.recommend(RecommendRequest(user="3"))["movies"]
    assert [movie["movie_id"] for movie in named] == [movie["movie_id"] for movie in by_id]
    for name in ("score", "rating"):
        expected = pytest.approx([movie[name] for movie in by_id], abs=1e-5)
        assert [movie[name] for movie in named] == expected
    rated = partly.rate(RateRequest(user="3", movies=["heat"]))["movies"][0]["rating"]
    assert 0.5 <= rated <= 5


def test_a_movie_named_without_a_rating_is_liked(partly):
    from serving.requests import RecommendRequest

    def listed(**event):
        asked = RecommendRequest(history=[{"movie": "toy story", **event}])
        return [movie["score"] for movie in partly.recommend(asked)["movies"]]

    assert listed() == listed(rating=5.0) != listed(rating=None)
