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
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


def can_be_wrong(operation):
    """Whether anything goes against the description: a string without bounds can hold all."""
    schemas = [parameter.definition["schema"] for parameter in operation.iter_parameters()]
    bounds = [set(schema) - {"title", "description", "default"} for schema in schemas]
    wordy = [schema.get("type") == "string" for schema in schemas]
    free = all(own == {"type"} and word for own, word in zip(bounds, wordy, strict=True))
    return bool(operation.body) or not free


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route_keeps_its_description(server, mode):
    described = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    found: list[Any] = list(described.get_all_operations())
    operations = [one.ok() for one in found]
    assert len(operations) == 11
    asked = [operation for operation in operations if can_be_wrong(operation)]
    for operation in operations if mode is GenerationMode.POSITIVE else asked:

        @settings(max_examples=25, suppress_health_check=QUIET, deadline=None)
        @given(operation.as_strategy(generation_mode=mode))
        def check(case):
            case.call_and_validate(checks=CHECKS)

        check()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
SIGNATURE = st.sampled_from(["recommend", "rate"])
PATH = st.sampled_from(["/recommend", "/group", "/v1/models/greenlight:predict"])
INPUTS = ("user_id", "history_movie_id", "history_rating", "k", "movie_id")


@settings(suppress_health_check=QUIET, deadline=None)
@given(
    st.dictionaries(st.sampled_from(INPUTS), JSON),
    st.booleans(),
    st.sampled_from(["recommend", "rate"]),
)
def test_tensorflow_servings_route_never_fails(client, inputs, by_row, signature):
    key, value = ("instances", [inputs]) if by_row else ("inputs", inputs)
    body = json.dumps({"signature_name": signature, key: value})
    found = client.post("/v1/models/greenlight:predict", content=body)
    assert found.status_code in (200, 400), found.text
    assert found.status_code == 200 or list(found.json()) == ["error"]


@settings(suppress_health_check=QUIET, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(["/recommend", "/group", "/v1/models/greenlight:predict"]),
)
def test_no_bytes_bring_it_down(client, body, path):
    found = client.post(path, content=body, headers={"content-type": "application/json"})
    assert found.status_code in (200, 400), found.text
    assert "\n" not in found.json().get("error", "")
