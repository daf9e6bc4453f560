"""A client as one writes it from TensorFlow Serving's REST documentation."""

import json
import math
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

MODEL = "/v1/models/greenlight"
NOBODY = {"user_id": "", "history_movie_id": ["1", "260"], "history_rating": [5.0, 4.0], "k": 3}


class Client:
    """Knows the documented requests and responses, and nothing of this server."""

    def __init__(self, url, name):
        self._base, self._http = f"{url}/v1/models/{name}", httpx.Client(timeout=30)

    def ask(self, method, path, body=None):
        found = self._http.request(method, self._base + path, content=body)
        assert found.headers["content-type"] == "application/json"
        return found.status_code, json.loads(found.text)  # which reads NaN and Infinity too

    def status(self, version=None):
        return self.ask("GET", f"/versions/{version}" if version else "")

    def metadata(self, version=None):
        return self.ask("GET", (f"/versions/{version}" if version else "") + "/metadata")

    def predict(self, version=None, **body):
        path = (f"/versions/{version}" if version else "") + ":predict"
        return self.ask("POST", path, json.dumps(body))


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url, "greenlight")


def test_status_of_a_model_and_of_a_version(client):
    available = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    assert client.status() == (200, {"model_version_status": [available]})
    assert client.status(1) == (200, {"model_version_status": [available]})
    assert client.status(7) == (404, {"error": "Could not find version 7 of model greenlight"})


def test_metadata_names_and_types_every_input(client):
    status, found = client.metadata()
    assert status == 200
    assert found["model_spec"] == {"name": "greenlight", "signature_name": "", "version": "1"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "recommend", "rate", "evaluate"} <= set(signatures)
    rating = signatures["serving_default"]["inputs"]["history_rating"]
    assert rating["dtype"] == "DT_FLOAT"
    sizes = [dim["size"] for dim in rating["tensor_shape"]["dim"]]
    assert sizes == ["-1", "-1"] and rating["tensor_shape"]["unknown_rank"] is False
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"
    assert client.metadata(1)[1] == found


def test_rows_and_columns_give_the_same_as_the_graph(client, answers):
    rows = [NOBODY, {**NOBODY, "user_id": "3", "k": 3}]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    expected = answers.model.call("recommend", **columns)
    status, by_row = client.predict(instances=rows)
    assert status == 200
    status, by_column = client.predict(inputs=columns)
    assert status == 200
    for name, value in expected.items():
        shown = value.astype(str).tolist() if value.dtype == object else value
        row_values = [row[name] for row in by_row["predictions"]]
        if value.dtype == object:
            assert row_values == by_column["outputs"][name] == shown
        else:
            np.testing.assert_allclose(row_values, value, rtol=1e-6)
            np.testing.assert_allclose(by_column["outputs"][name], value, rtol=1e-6)


def test_a_signature_and_a_version_may_be_named(client):
    person = {"user_id": "1", "history_movie_id": ["1"], "history_rating": [5.0]}
    body = {"signature_name": "rate", "instances": [{**person, "movie_id": ["1", "gone"]}]}
    status, found = client.predict(version=1, **body)
    assert status == 200
    (row,) = found["predictions"]
    assert row["known"] == [True, False] and math.isnan(row["rating"][1])


def test_a_single_input_needs_no_name_and_bytes_come_as_base64(client):
    status, found = client.predict(signature_name="history", instances=["3", {"b64": "Mw=="}])
    assert status == 200
    first, second = found["predictions"]
    assert first == second and len(first["movie_id"]) == 30
    assert client.predict(signature_name="history", inputs=["3"])[1]["outputs"]["known"] == [True]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"inputs": {}, "instances": []}, "only one of"),
        ({"instances": []}, "No values in 'instances'"),
        ({"instances": {}}, "to be an list"),
        ({"instances": ["plain"]}, "instances is a plain list"),
        ({"instances": [{"user_id": "1"}]}, "keys must be equal to: history_movie_id,"),
        ({"instances": [{**NOBODY, "more": 1}]}, "does not have named input: more"),
        ({"instances": [{**NOBODY, "k": "three"}]}, "is not of expected type: int32"),
        ({"instances": [{**NOBODY, "k": 2**40}]}, "is not of expected type: int32"),
        ({"instances": [{**NOBODY, "user_id": 1}]}, "is not of expected type: string"),
        (
            {"instances": [{**NOBODY, "history_rating": [True, 1.0]}]},
            "is not of expected type: float",
        ),
        ({"instances": [{**NOBODY, "history_rating": [1e300, 1.0]}]}, "without loss of precision"),
        ({"instances": [NOBODY, {**NOBODY, "history_movie_id": ["1"]}]}, "Expecting shape"),
        ({"instances": [{**NOBODY, "history_rating": [1.0]}]}, "same shape"),
        ({"instances": [{**NOBODY, "history_rating": [[1.0], 2.0]}]}, "dimensions"),
        ({"instances": [{**NOBODY, "k": 10**9}]}, "At most"),
        ({"instances": [NOBODY] * 300}, "At most"),
        (
            {"inputs": {"user_id": ["1"]}},
            "Missing named input: history_movie_id in 'inputs' object.",
        ),
        ({"inputs": {**NOBODY, "user_id": ["1", "2", "3"]}}, "dimensions"),
        ({"inputs": [1, 2]}, "inputs is a plain value/list"),
        ({"signature_name": "nope", "instances": [1]}, 'Serving signature name: "nope" not found'),
        ({"signature_name": 5, "instances": [1]}, "must be a string"),
        ({"signature_name": "history", "instances": [{"b64": "?"}]}, "base64"),
        ({"signature_name": "evaluate", "inputs": ["no Example"]}, "arse"),
    ],
)
def test_a_mistake_is_a_400_with_the_documented_body(client, body, words):
    status, found = client.predict(**body)
    assert status == 400 and list(found) == ["error"]
    assert words in found["error"]


@pytest.mark.parametrize(
    "body", ["", "{", "[1]", "nonsense", '{"instances": [1', b"\xff\xfe{", "[" * 5000]
)
def test_what_is_no_json_is_a_400(client, body):
    status, found = client.ask("POST", ":predict", body)
    assert status == 400 and list(found) == ["error"]


def test_not_a_number_tokens_are_read(client):
    row = '{"user_id": "", "history_movie_id": ["1"], "history_rating": [NaN], "k": 2}'
    body = f'{{"instances": [{row}]}}'
    status, found = client.ask("POST", ":predict", body)
    assert status == 200
    assert found["predictions"][0]["source"] == "history"  # seen, and not rated


def test_what_is_not_served_is_a_404_and_other_paths_are_malformed(server, client):
    other = Client(server.url, "other")
    sentence = "Servable not found for request: Latest(other)"
    assert other.predict(instances=[1]) == (404, {"error": sentence})
    assert other.metadata() == (404, {"error": sentence})
    assert other.status() == (404, {"error": "Could not find any versions of model other"})
    sentence = "Servable not found for request: Specific(greenlight, 9)"
    assert client.predict(version=9, instances=[1]) == (404, {"error": sentence})
    malformed = "Malformed request: GET /v1/models/greenlight:predict"
    assert client.ask("GET", ":predict") == (400, {"error": malformed})
    assert client.ask("POST", "/metadata")[0] == 400
    assert client.ask("POST", ":classify", "{}")[0] == 400


def test_requests_that_share_a_call_get_what_each_gets_alone(client):
    def rows(i):
        events = [str(1 + (i + j) % 40) for j in range(i % 5)]
        row = {"user_id": str(i % 50), "history_movie_id": events, "k": i % 7}
        return [{**row, "history_rating": [4.0] * len(events)}] * (1 + i % 3)

    asked = [rows(i) for i in range(60)]
    alone = [client.predict(instances=one) for one in asked]
    with ThreadPoolExecutor(20) as pool:
        shared = list(pool.map(lambda one: client.predict(instances=one), asked))
    for (status, mine), (other_status, theirs), wanted in zip(alone, shared, asked, strict=True):
        assert status == other_status == 200
        for own, other in zip(mine["predictions"], theirs["predictions"], strict=True):
            assert own["movie_id"] == other["movie_id"] and len(own["movie_id"]) == wanted[0]["k"]
            np.testing.assert_allclose(own["score"], other["score"], atol=1e-5)
