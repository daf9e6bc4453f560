"""Whatever is sent, the answer is what the server's own OpenAPI promises, and never a 500."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
ANNOTATIONS = {"title", "description", "default", "examples"}  # which bind no value
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


def can_be_wrong(operation):
    """Whether anything goes against the description: a string without bounds can hold all."""
    schemas = [parameter.definition["schema"] for parameter in operation.iter_parameters()]
    bounds = [set(schema) - ANNOTATIONS for schema in schemas]
    wordy = [schema.get("type") == "string" for schema in schemas]
    free = all(own == {"type"} and word for own, word in zip(bounds, wordy, strict=True))
    return bool(operation.body) or not free


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route_keeps_its_description(server, mode):
    described = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    found: list[Any] = list(described.get_all_operations())
    operations = [one.ok() for one in found]
    assert len(operations) == 12
    asked = [operation for operation in operations if can_be_wrong(operation)]
    for operation in operations if mode is GenerationMode.POSITIVE else asked:

        @settings(max_examples=25, suppress_health_check=QUIET, deadline=None)
        @given(operation.as_strategy(generation_mode=mode))
        def check(case):
            case.call_and_validate(checks=CHECKS)

        check()


# What each route takes, with every field; predict also takes rows.
PERSON = {"user": "3", "history": [{"movie": "heat", "rating": 4}], "gender": "F"}
WISHES = {"k": 3, "exclude": ["1"], "genres": ["Comedy"], "having": {}, "year_from": 1990,
          "year_to": 1995, "keep_seen": True, "mix": 0.5, "retrieve": 100}  # fmt: skip
ROW = {"user_id": "3", "history_movie_id": ["1"], "history_rating": [4.0], "k": 3}
PREDICT = "/v1/models/greenlight:predict"
VALID = [
    ("/recommend", {**PERSON, **WISHES}),
    ("/rank", {**PERSON, "movies": ["1", "heat"], "mix": 0.5}),
    ("/rate", {**PERSON, "movies": ["1"]}),
    ("/explain", {**PERSON, "movie": "1"}),
    ("/group", {**WISHES, "people": [{**PERSON, "weight": 0.5}, {}], "rule": "mean"}),
    (PREDICT, {"instances": [ROW]}),
    (PREDICT, {"signature_name": "recommend", "inputs": {k: [v] for k, v in ROW.items()}}),
    (PREDICT, {"signature_name": "similar", "inputs": {"movie_id": ["1"], "k": 3}}),
    (PREDICT, {"signature_name": "history", "instances": ["3", {"b64": "Mw=="}]}),
    (PREDICT, {"signature_name": "evaluate", "inputs": {"examples": [{"b64": ""}]}}),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**9, -1, 2**31, 2**64, 1e38, 1e300, "1", "", "\ud800", {"b64": "?"}]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)  # fmt: skip


def deep(levels, opening, closing):
    """JSON text of so many levels, which Python's own writer would not write."""
    return opening * levels + "1" + closing * levels


DEEP = st.builds(
    deep, st.sampled_from([9, 33, 500, 1000, 1023, 5000]),
    st.sampled_from(["[", '{"b64":', '[{"user":']), st.just(""),
) | st.integers(1, 5000).map(lambda levels: deep(levels, "[", "]")) | st.integers(1, 2000).map(
    lambda levels: deep(levels, '{"a":', "}")
) | st.integers(4000, 6000).map(lambda digits: "9" * digits)  # fmt: skip
MARK = "here comes what is put in"


def places(content, path=()):
    """Where in a body something else can be put: the whole of it, and every part."""
    yield path
    parts = enumerate(content) if isinstance(content, list) else ()
    for key, part in content.items() if isinstance(content, dict) else parts:
        yield from places(part, (*path, key))


def put(content, path, value):
    """The body with a value at a place."""
    if not path:
        return value
    copy = content.copy()
    copy[path[0]] = put(content[path[0]], path[1:], value)
    return copy


@st.composite
def spoiled(draw):
    """A route, and a body that was valid before something of any shape came into it."""
    route, body = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(0, 2))):
        body = put(body, draw(st.sampled_from(list(places(body)))), draw(JSON))
    place = draw(st.sampled_from(list(places(body))))
    text = json.dumps(put(body, place, MARK))
    return route, text.replace(json.dumps(MARK), draw(DEEP | JSON.map(json.dumps)))


@settings(suppress_health_check=QUIET, deadline=None, max_examples=150)
@given(spoiled())
def test_whatever_is_posted_the_answer_is_quick_and_no_fault(client, asked):
    path, body = asked
    found = client.post(path, content=body, headers={"content-type": "application/json"})
    assert found.status_code in (200, 400, 413), found.text
    assert found.status_code == 200 or list(found.json()) == ["error"]
    assert len(found.text) < 2000 or found.status_code == 200
    assert found.elapsed.total_seconds() < 5


@pytest.mark.parametrize(("path", "body"), VALID)
def test_what_is_spoiled_was_valid(client, path, body):
    assert client.post(path, json=body).status_code == 200 or "evaluate" in str(body)


@pytest.mark.parametrize("field", ["k", "mix", "year_from", "retrieve", "keep_seen"])
@pytest.mark.parametrize("value", ["1", "true", [1], {"a": 1}])
def test_only_numbers_are_numbers_and_only_booleans_booleans(client, field, value):
    odd = [value, 1 if field == "keep_seen" else True]
    for one in odd:
        found = client.post("/recommend", json={"user": "3", field: one})
        assert found.status_code == 400 and found.json()["error"].startswith(f"{field}: ")


@pytest.mark.parametrize("path", ["", "/metadata", ":predict"])
@pytest.mark.parametrize("version", ["9" * 5000, "0" * 5000 + "1", "\u0663", "1_0", "-1", " 1"])
def test_a_version_may_be_any_text(client, path, version):
    url = f"/v1/models/greenlight/versions/{version}{path}"
    predicts = path == ":predict"
    found = client.post(url, json={"instances": [ROW]}) if predicts else client.get(url)
    assert found.status_code == (200 if version.endswith("01") else 404 if "99" in version else 400)
    assert found.status_code == 200 or len(found.json()["error"]) <= 1000


@settings(suppress_health_check=QUIET, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(["/recommend", "/group", "/v1/models/greenlight:predict"]),
)
def test_no_bytes_bring_it_down(client, body, path):
    found = client.post(path, content=body, headers={"content-type": "application/json"})
    assert found.status_code in (200, 400), found.text
    assert "\n" not in found.json().get("error", "")
