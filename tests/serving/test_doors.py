"""What every HTTP client may count on: HEAD, gzip, tokens, the description, and the metrics."""

import asyncio
import gzip
import json
import logging
import zlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import UserError
from serving.app import make_app
from serving.bodies import TooLarge, unpack
from serving.listening import TOKEN, checked_base, checked_hosts, checked_origins, checked_token
from serving.server import Printable
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


def test_settings_that_would_do_nothing_or_too_much_are_refused(monkeypatch):
    assert checked_origins(["https://Shop.example/", "*", "http://[::1]:3000"]) == [
        "https://shop.example", "*", "http://[::1]:3000",
    ]  # fmt: skip
    for wrong in ("shop.example", "https://shop.example/page", "ftp://x", ""):
        with pytest.raises(UserError, match="--cors takes origins"):
            checked_origins([wrong])
    monkeypatch.delenv(TOKEN, raising=False)
    assert checked_token(None) is None and checked_token(" sesame\n") == "sesame"
    with pytest.raises(UserError, match="The token is empty"):
        checked_token(" ")
    monkeypatch.setenv(TOKEN, "")  # which Typer takes for none
    with pytest.raises(UserError, match="The token is empty"):
        checked_token(None)
    assert checked_token("sesame") == "sesame"
    assert [checked_base(path) for path in ("", "/", "/a", "/a/b/")] == ["", "", "/a", "/a/b"]
    for wrong in ("a", "/a b", "//a", "/a?b", "http://x/a"):
        with pytest.raises(UserError, match="--root-path takes"):
            checked_base(wrong)


def test_the_log_steers_no_terminal():
    line = logging.makeLogRecord({"msg": "%s is gone\nat all", "args": ("\x1b[31m\u202e",)})
    assert Printable("> %(message)s").format(line) == "> \\x1b[31m\\u202e is gone\nat all"


LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    ("names", "host", "allowed"),
    [
        ([], "127.0.0.1", LOOPBACK),
        ([], "localhost", LOOPBACK),
        ([], "127.0.0.2", [*LOOPBACK, "127.0.0.2"]),
        ([], "::1", LOOPBACK),
        ([], "0.0.0.0", None),  # names of this machine are not known to it
        ([], "::", None),
        (["Shop.example", "*.shop.example"], "127.0.0.1",
         [*LOOPBACK, "shop.example", "*.shop.example"]),
        (["shop.example"], "10.0.0.1", [*LOOPBACK, "10.0.0.1", "shop.example"]),
        (["*"], "127.0.0.1", None),
    ],
)  # fmt: skip
def test_which_names_a_server_goes_by(names, host, allowed):
    assert checked_hosts(names, host) == allowed


@pytest.mark.parametrize("name", ["", "http://a", "a:80", "a/b", "*a", "a.*", "a b"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(UserError, match="--allowed-hosts takes names"):
        checked_hosts([name], "127.0.0.1")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 503), ("LocalHost:8501", 503), ("[::1]:80", 503), ("a.shop.example", 503),
        ("a.b.shop.example:443", 503), ("shop.example", 400), ("evil.example", 400), ("", 400),
        ("localhost.evil.example", 400), ("evilshop.example", 400), ("localhost:80:80", 400),
        ("127.0.0.1@evil.example", 400), ("0.0.0.0", 400), ("localhost,evil.example", 400),
    ],
)  # fmt: skip
def test_a_server_answers_to_its_names_alone(tmp_path, host, status):
    names = [*LOOPBACK, "*.shop.example"]
    for method, path in (("GET", "/about"), ("POST", "/recommend"), ("GET", "/up/about")):
        headers = {"host": host, "content-type": "application/json"}
        found = _ask(tmp_path, method, path, headers, hosts=names, base="/up")
        assert found.status_code == (status if method == "GET" or status == 400 else 400)
        assert ("--allowed-hosts" in found.text) == (status == 400)
    for path in ("/healthz", "/up/healthz"):
        assert _ask(tmp_path, "GET", path, {"host": host}, hosts=names, base="/up").is_success
    assert _ask(tmp_path, "GET", "/about", {"host": host}).status_code == 503  # any name, here


def test_a_server_on_loopback_answers_to_loopback(client):
    assert client.get("/about", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/about", headers={"host": "localhost"}).status_code == 200


JSON_TYPES = ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"]
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("kind", [*JSON_TYPES, FORM, "", "text/plain", "multipart/form-data", "*"])
@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_what_a_page_can_send_unasked_is_no_json(tmp_path, kind, lenient, origin):
    headers = {"content-type": kind, **({"origin": origin} if origin else {})}
    taken = kind in JSON_TYPES or (lenient and kind in ("", FORM) and not origin)
    for path in ("/recommend", "/v1/models/greenlight:predict"):
        found = _ask(tmp_path, "POST", path, headers, lenient=lenient)
        assert (found.status_code == 415) != taken
        assert taken or "application/json" in found.json()["error"]


@pytest.mark.parametrize("path", ["/recommend", "/v1/models/greenlight:predict"])
def test_what_curl_sends_is_read_on_loopback(client, path):
    row = {"user_id": "3", "history_movie_id": [], "history_rating": [], "k": 3}
    body = ASKED if path == "/recommend" else json.dumps({"instances": [row]}).encode()
    for headers in ({}, {"content-type": FORM}):
        assert client.post(path, content=body, headers=headers).status_code == 200


SECURE = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("GET", "/docs"), ("GET", "/static/page.js"), ("GET", "/static/none"),
        ("HEAD", "/about"), ("GET", "/nothing"), ("PUT", "/about"), ("POST", "/recommend"),
        ("GET", "/v1/models/none"), ("GET", "/metrics"), ("GET", "/openapi.json"),
    ],
)  # fmt: skip
def test_every_answer_has_the_headers_that_guard_it(client, method, path):
    found = client.request(method, path)
    assert {name: found.headers.get_list(name) for name in SECURE} == {
        name: [value] for name, value in SECURE.items()
    }
