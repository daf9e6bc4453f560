"""What every HTTP client may count on: HEAD, gzip, tokens, the description, and the metrics."""

import asyncio
import gzip
import json
import zlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import UserError
from serving.app import make_app
from serving.bodies import TooLarge, unpack
from serving.listening import checked_base, checked_origins, checked_token
from serving.service import Limits, Server

MOST = 1 << 20
ASKED = json.dumps({"user": "3", "k": 3}).encode()


def packed(content: bytes) -> bytes:
    """The content under gzip, without the time in its header: test names are made of it."""
    return gzip.compress(content, mtime=0)


def test_head_is_get_without_the_body(client):
    paths = ("/", "/docs", "/healthz", "/readyz", "/openapi.json", "/static/page.js", "/about",
             "/similar?movie=heat", "/movies?q=toy", "/users", "/users/3/history",
             "/users/no/history", "/v1/models/greenlight", "/v1/models/greenlight/metadata",
             "/v1/models/other", "/recommend", "/nothing")  # fmt: skip
    for path in paths:
        full, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (full.status_code, b""), path
        assert head.headers["content-type"] == full.headers["content-type"]
        assert head.headers["content-length"] == str(len(full.content))
    assert client.head("/metrics").status_code == 200
    assert client.get("/healthz").json() == {"status": "alive"}  # the connection is still in step


@pytest.mark.parametrize("path", ["/recommend", "/v1/models/greenlight:predict"])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "identity"])
def test_a_body_may_be_packed(client, path, encoding):
    row = {"user_id": "3", "history_movie_id": [], "history_rating": [], "k": 3}
    body = ASKED if path == "/recommend" else json.dumps({"instances": [row]}).encode()
    content = body if encoding == "identity" else packed(body)
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    found = client.post(path, content=content, headers=headers)
    plain = client.post(path, content=body, headers={"content-type": "application/json"})
    assert found.status_code == 200 and found.json() == plain.json()


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (packed(b" " * (MOST + 1)), "gzip", 413),
        (packed(b" " * (1 << 26)), "gzip", 413),
        (b"x" * (MOST + 1), "gzip", 413),
        (ASKED, "gzip", 400),
        (packed(ASKED)[:-3], "gzip", 400),
        (packed(ASKED) + b"more", "gzip", 400),
        (packed(b"") * 100, "gzip", 400),
        (zlib.compress(ASKED), "deflate", 415),
        (packed(ASKED), "br", 415),
        (packed(packed(ASKED)), "gzip, gzip", 415),
    ],
)  # fmt: skip
def test_what_cannot_be_unpacked_is_refused(client, body, encoding, status):
    found = client.post("/recommend", content=body, headers={"content-encoding": encoding})
    assert found.status_code == status and list(found.json()) == ["error"]
    assert status != 415 or found.headers["accept-encoding"] == "gzip"


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.integers(0, 1500))
def test_unpacking_gives_what_was_packed_or_stops(parts, most):
    sent, content = b"".join(map(packed, parts)), b"".join(parts)
    if len(content) > most:
        with pytest.raises(TooLarge):
            unpack(sent, most)
    else:
        assert unpack(sent, most) == content


@given(st.binary(max_size=100))
def test_what_is_no_gzip_is_an_error_of_zlib(body):
    with pytest.raises(zlib.error):
        unpack(body, 1000)


def test_metrics_time_each_kind_of_request_and_watch_the_process(client):
    def counted():
        families = text_string_to_metric_families(client.get("/metrics").text)
        return {
            (sample.name, sample.labels.get("route"), sample.labels.get("method")): sample.value
            for family in families
            for sample in family.samples
        }

    row = {"user_id": "3", "history_movie_id": [], "history_rating": [], "k": 3}
    before, base = counted(), "/v1/models/greenlight"
    asked = {
        "/v1/models/{model:path}:predict": lambda: client.post(
            f"{base}:predict", json={"instances": [row]}
        ),
        "/v1/models/{model:path}/metadata": lambda: client.get(f"{base}/metadata"),
        "/v1/models/{model:path}": lambda: client.get(base),
        "/recommend": lambda: client.post("/recommend", json={"user": "3"}),
        "/readyz": lambda: client.head("/readyz"),
    }
    for number, ask in enumerate(asked.values(), 1):
        for _ in range(number):
            assert ask().status_code == 200
    after = counted()
    for number, route in enumerate(asked, 1):
        name = ("greenlight_request_seconds_count", route, None)
        assert after[name] - before.get(name, 0) >= number, route
    polls = ("greenlight_requests_total", "/readyz", "HEAD")
    assert after[polls] - before.get(polls, 0) == 5
    assert after["process_resident_memory_bytes", None, None] > 1e8
    assert after["process_cpu_seconds_total", None, None] > 0


def _ask(folder, method, path, headers=(), **options):
    async def ask():
        app = make_app(Server(folder, Limits()), "greenlight", Limits(), **options)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test"
        ) as client:
            return await client.request(method, path, headers=dict(headers))

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer sesame", 200), ("bearer sesame", 200), ("BEARER  sesame", 200),
        ("Basic sesame", 401), ("sesame", 401), ("Bearer", 401), ("Bearer Sesame", 401), ("", 401),
    ],
)  # fmt: skip
def test_the_schemes_case_is_free_and_the_tokens_is_not(tmp_path, header, status):
    found = _ask(tmp_path, "GET", "/metrics", {"authorization": header}, token="sesame")
    assert found.status_code == status


def test_the_description_names_the_token_only_where_there_is_one(tmp_path):
    plain = _ask(tmp_path, "GET", "/openapi.json").json()
    assert "security" not in plain and "securitySchemes" not in plain["components"]
    told = _ask(tmp_path, "GET", "/openapi.json", token="sesame").json()
    (scheme,) = told["security"]
    assert told["components"]["securitySchemes"][next(iter(scheme))] == {
        "type": "http",
        "scheme": "bearer",
    }
    operations = [one for path in told["paths"].values() for one in path.values()]
    assert operations and all("401" in one["responses"] for one in operations)


def test_where_there_is_no_model_yet_nobody_is_to_blame(tmp_path):
    found = _ask(tmp_path, "GET", "/about")
    assert found.status_code == 503 and found.headers["retry-after"]
    assert str(tmp_path) not in found.text


def test_below_a_base_path_both_kinds_of_proxy_are_served(tmp_path):
    for path in ("/healthz", "/up/front/healthz", "/up/front/static/page.js", "/static/page.js"):
        assert _ask(tmp_path, "GET", path, base="/up/front").status_code == 200
    described = _ask(tmp_path, "GET", "/up/front/openapi.json", base="/up/front").json()
    assert described["servers"] == [{"url": "/up/front"}]
    assert _ask(tmp_path, "GET", "/up/front/v1/models/x", base="/up/front").status_code == 404
    assert _ask(tmp_path, "GET", "/up/front/", base="/up/front", token="t").status_code == 200
    assert _ask(tmp_path, "GET", "/up/front/about", base="/up/front", token="t").status_code == 401
    with pytest.raises(UserError, match="/movies"):
        _ask(tmp_path, "GET", "/", base="/movies")


def test_settings_that_would_do_nothing_or_too_much_are_refused():
    assert checked_origins(["https://Shop.example/", "*", "http://[::1]:3000"]) == [
        "https://shop.example", "*", "http://[::1]:3000",
    ]  # fmt: skip
    for wrong in ("shop.example", "https://shop.example/page", "ftp://x", ""):
        with pytest.raises(UserError, match="--cors takes origins"):
            checked_origins([wrong])
    assert checked_token(None) is None and checked_token(" sesame\n") == "sesame"
    with pytest.raises(UserError, match="The token is empty"):
        checked_token(" ")
    assert [checked_base(path) for path in ("", "/", "/a", "/a/b/")] == ["", "", "/a", "/a/b"]
    for wrong in ("a", "/a b", "//a", "/a?b", "http://x/a"):
        with pytest.raises(UserError, match="--root-path takes"):
            checked_base(wrong)
