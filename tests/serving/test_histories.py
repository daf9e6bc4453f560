"""A server for others than this machine tells nobody's id or history, unless it may."""

import httpx
import pytest

from serving.listening import trusts

PREDICT = "/v1/models/greenlight:predict"
NOTHING: dict[str, list[str]] = {"history_movie_id": [], "history_rating": []}
CLOSED = [
    ("GET", "/users", None),
    ("GET", "/users/1/history", None),
    ("GET", "/history?user=1", None),
    ("GET", "/history?user=whoever", None),  # nor whether there is such a user
    ("POST", "/explain", {"user": "1", "movie": "1"}),
    ("POST", PREDICT, {"signature_name": "history", "instances": [{"user_id": "1"}]}),
    ("POST", PREDICT, {"signature_name": "history", "inputs": {"user_id": ["", "1"]}}),
    ("POST", PREDICT, {"signature_name": "query", "instances": [{"user_id": "1", **NOTHING}]}),
]
OPEN = [
    ("POST", "/recommend", {"user": "1"}),
    ("POST", "/explain", {"history": [{"movie": "1"}], "movie": "2"}),
    ("POST", PREDICT, {"instances": [{"user_id": "1", **NOTHING, "k": 3}]}),
    ("GET", "/about", None),
]


@pytest.fixture(scope="module")
def public(start, light):
    with (
        start(light, "--host", "0.0.0.0") as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize(("method", "path", "body"), CLOSED)
def test_ids_and_histories_are_closed(public, method, path, body):
    found = public.request(method, path, json=body)
    assert found.status_code == 403, found.text
    assert "--open-histories" in found.json()["error"]


@pytest.mark.parametrize(("method", "path", "body"), OPEN)
def test_what_tells_no_history_is_answered(public, method, path, body):
    found = public.request(method, path, json=body)
    assert found.status_code == 200, found.text


@pytest.mark.parametrize(("method", "path", "body"), CLOSED[:2] + CLOSED[5:])
def test_on_this_machine_they_are_told(client, method, path, body):
    assert client.request(method, path, json=body).status_code == 200


@pytest.mark.parametrize(
    ("token", "host", "trusted"),
    [(None, "127.0.0.1", True), (None, "::1", True), (None, "localhost", True),
     (None, "0.0.0.0", False), (None, "10.0.0.1", False), ("secret", "0.0.0.0", True)],
)  # fmt: skip
def test_a_token_or_this_machine_alone_opens_them(token, host, trusted):
    assert trusts(token, host) == trusted
