"""The friendly routes answer what the graph says, and say what was wrong with a request."""

import concurrent.futures

import numpy as np
import pytest

from tests.models import MIX

LIKED = [{"movie": "toy story", "rating": 5}, {"movie": "Heat (1995)"}]


def _ids(found):
    return [movie["movie_id"] for movie in found["movies"]]


def test_recommendations_are_the_graphs(client, answers):
    found = client.post("/recommend", json={"history": LIKED, "k": 7}).json()
    told = [(event["title"], event["rating"]) for event in found["history"]]
    assert told == [("Toy Story (1995)", 5.0), ("Heat (1995)", 5.0)]
    expected = answers.model.call(
        "recommend", user_id=[""], history_movie_id=[["1", "6"]], history_rating=[[5.0, 5.0]], k=7
    )
    assert _ids(found) == expected["movie_id"][0].astype(str).tolist()
    scores = [movie["score"] for movie in found["movies"]]
    np.testing.assert_allclose(scores, expected["score"][0], atol=1e-5)
    assert found["source"] == "history" and found["version"] == "1"


def test_the_answer_says_which_of_the_three_happened(client):
    sources = [
        client.post("/recommend", json=body).json()["source"]
        for body in ({"user": "3"}, {"user": "nobody", "history": LIKED}, {"user": "nobody"}, {})
    ]
    assert sources == ["user", "history", "popularity", "popularity"]


def test_filters_and_exclusions(client):
    wishes = {"user": "2", "k": 50, "genres": ["Comedy"], "year_from": 1990, "year_to": 1994}
    found = client.post("/recommend", json=wishes).json()["movies"]
    assert found and all("Comedy" in movie["genres"] for movie in found)
    assert all(1990 <= movie["year"] <= 1994 for movie in found)
    without = {**wishes, "exclude": [found[0]["title"]]}
    others = client.post("/recommend", json={**without, "k": len(found) - 1}).json()
    assert _ids(others) == [movie["movie_id"] for movie in found[1:]]


def test_seen_movies_are_left_out_unless_kept(client):
    history = client.get("/users/2/history").json()["history"]
    seen = {event["movie_id"] for event in history}
    assert len(seen) == 30
    assert not seen & set(_ids(client.post("/recommend", json={"user": "2", "k": 500}).json()))
    kept = client.post("/recommend", json={"user": "2", "k": 500, "keep_seen": True}).json()
    assert seen & set(_ids(kept))


def test_many_at_once_get_what_each_gets_alone(client):
    bodies = [{"user": str(1 + i % 40), "k": 1 + i % 9, "mix": (i % 3) / 2} for i in range(60)]
    alone = [client.post("/recommend", json=body).json() for body in bodies]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda body: client.post("/recommend", json=body).json(), bodies))
    for one, other in zip(alone, together, strict=True):
        assert _ids(one) == _ids(other)
        for mine, theirs in zip(one["movies"], other["movies"], strict=True):
            assert mine["score"] == pytest.approx(theirs["score"], abs=1e-5)
            assert mine["rating"] == pytest.approx(theirs["rating"], abs=1e-5)
    sizes = client.get("/metrics").text
    assert 'greenlight_batch_size_bucket{le="1.0"}' in sizes


def test_rate_and_rank(client):
    movies = ["Heat", "Toy Story", "Jumanji"]
    rated = client.post("/rate", json={"user": "5", "movies": movies}).json()["movies"]
    assert [movie["title"] for movie in rated] == [
        "Heat (1995)",
        "Toy Story (1995)",
        "Jumanji (1995)",
    ]
    ranked = client.post("/rank", json={"user": "5", "movies": movies}).json()["movies"]
    by_rating = sorted(rated, key=lambda movie: -movie["rating"])
    assert [movie["movie_id"] for movie in ranked] == [movie["movie_id"] for movie in by_rating]


def test_a_group_of_one_is_that_one(client):
    alone = client.post("/recommend", json={"user": "5"}).json()
    group = {"people": [{"user": "5", "weight": 2}, {"user": "6", "weight": 0}]}
    found = client.post("/group", json=group).json()
    assert _ids(found) == _ids(alone)
    both = client.post("/group", json={"people": [{"user": "5"}, {"user": "6"}]}).json()
    assert _ids(both) != _ids(alone)
    for movie in both["movies"]:
        assert movie["rating"] == pytest.approx(np.mean(movie["ratings"]), abs=1e-4)


def test_similar_and_explain(client):
    near = client.get("/similar", params={"movie": "toy story", "k": 4}).json()
    assert near["movie"]["movie_id"] == "1" and "1" not in _ids(near) and len(_ids(near)) == 4
    told = client.post("/explain", json={"history": LIKED, "movie": "Jumanji"}).json()
    assert {event["movie_id"] for event in told["history"]} == {"1", "6"}
    effects = [event["effect"] for event in told["history"]]
    assert effects == sorted(effects, reverse=True) and any(effects)


def test_looking_things_up(client):
    assert (
        client.get("/movies", params={"q": "jum"}).json()["movies"][0]["title"] == "Jumanji (1995)"
    )
    users = client.get("/users", params={"q": "1", "k": 3}).json()
    assert users == {"total": 11, "users": ["1", "10", "11"]}
    about = client.get("/about").json()
    assert (about["movies"], about["users"], about["scale"]) == (600, 40, [0.5, 5.0])
    assert about["mix"] == MIX
    assert client.get("/users/none/history").status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"history": [{"movie": "toy stori"}]}, "did you mean 'Toy Story (1995)'"),
        ({"history": [{"movie": "Heat", "rating": 9}]}, "off the scale"),
        ({"genres": ["Cosy"]}, "There is no genre 'Cosy'"),
        ({"k": 0}, "k: "), ({"k": 10**12}, "k: "), ({"k": "many"}, "k: "), ({"k": None}, "k: "),
        ({"mix": 2}, "mix: "), ({"user": ""}, "user: "), ({"user": 7}, "user: "),
        ({"colour": "red"}, "colour: "), ({"exclude": ["x"] * 1001}, "exclude: "),
        ([], "dictionary"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_400_with_one_sentence(client, body, words):
    found = client.post("/recommend", json=body)
    assert found.status_code == 400 and list(found.json()) == ["error"]
    assert words in found.json()["error"] and "\n" not in found.json()["error"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"k": NaN}', b'{"k": 1e999}', b"[" * 5000, b'{"user": "\\ud800"}'],
)  # fmt: skip
def test_what_is_no_json_is_a_400(client, body):
    found = client.post("/recommend", content=body, headers={"content-type": "application/json"})
    assert found.status_code == 400 and list(found.json()) == ["error"]
