"""Running it: new versions, broken ones, limits, tokens, and a graceful stop."""

import concurrent.futures
import hashlib
import json
import shutil
import signal
import socket
import threading

import httpx
import pytest

from schemas.manifest import FILE
from serving.announced import find_server
from serving.app import make_app
from serving.budget import Budget
from serving.service import Limits, Server
from serving.versions import Versions


@pytest.fixture
def folder(light, tmp_path):
    """A folder of its own with version 1."""
    copy = tmp_path / "pushed"
    shutil.copytree(light / "1", copy / "1")
    return copy


@pytest.fixture(scope="module")
def loaded(light):
    """Version 1 in service, which servers in this process share."""
    versions = Versions(light)
    versions.refresh()
    return versions


def test_new_versions_take_over_and_no_request_fails(start, push, folder):
    statuses, versions, stop = [], set(), threading.Event()

    def ask(server):
        with httpx.Client(base_url=server.url, timeout=30) as client:
            while not stop.wait(0.05):  # the server shall have a turn to load, too
                found = client.post("/recommend", json={"user": "3"})
                statuses.append(found.status_code)
                versions.add(found.json().get("version"))

    with start(folder) as server, concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, server) for _ in range(4)]
        assert find_server(folder) == server.url
        for version in ("2", "10"):
            push(folder, version)
            server.wait_for(lambda: server.version() == version)  # noqa: B023
        server.wait_for(lambda: "10" in versions and "version 10 is in service" in server.said())
        stop.set()
        [one.result() for one in asking]
    assert set(statuses) == {200} and len(statuses) > 50
    assert {"1", "10"} <= versions
    assert find_server(folder) is None


def test_a_broken_version_is_refused_and_the_old_one_goes_on(start, push, light, folder):
    def refused(version):
        status = httpx.get(f"{server.url}/v1/models/greenlight").json()["model_version_status"]
        return next((one for one in status if one["version"] == version), None)

    with start(folder) as server:
        (folder / "2").mkdir()
        (folder / "2" / "saved_model.pb").write_bytes(b"no graph")
        push(folder, "3")
        (folder / "3" / "variables" / "variables.data-00000-of-00001").unlink()
        server.wait_for(lambda: refused("2") and refused("3"))
        assert refused("3")["state"] == "END" and refused("3")["status"]["error_message"]
        assert server.version() == "1"
        assert httpx.post(f"{server.url}/recommend", json={}).status_code == 200
        assert "version 3 is refused" in server.said()
        # One flipped bit is enough, where a manifest says what was pushed.
        push(folder, "4")
        data = folder / "4" / "variables" / "variables.data-00000-of-00001"
        content = bytearray(data.read_bytes())
        wanted = {"variables/" + data.name: hashlib.sha256(content).hexdigest()}
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
        (folder / "4" / FILE).write_text(json.dumps({"sha256": wanted}))
        server.wait_for(lambda: refused("4"))
        assert "is not as it was pushed" in refused("4")["status"]["error_message"]
        assert server.version() == "1"
        # A version that was half copied is taken once it is whole.
        shutil.copytree(light / "1" / "variables", folder / "3" / "variables", dirs_exist_ok=True)
        server.wait_for(lambda: server.version() == "3")


def test_a_version_without_its_graph_file_is_not_looked_at(light, folder):
    shutil.copytree(light / "1", folder / "2", ignore=shutil.ignore_patterns("saved_model.pb"))
    versions = Versions(folder)
    versions.refresh()
    assert versions.version == "1" and versions.refused == {}


def test_a_stop_lets_running_requests_end(start, folder):
    with start(folder) as server, concurrent.futures.ThreadPoolExecutor(8) as pool:
        body = {"user": "3", "movie": "heat"}
        running = [
            pool.submit(httpx.post, f"{server.url}/explain", json=body, timeout=60)
            for _ in range(8)
        ]
        server.wait_for(lambda: any(one.running() for one in running))
        first = next(concurrent.futures.as_completed(running))
        server.process.send_signal(signal.SIGTERM)
        assert first.result().status_code == 200
        ended = [one for one in running if one.exception() is None]
        assert all(one.result().status_code == 200 for one in ended)
        assert server.process.wait(60) in (0, -signal.SIGTERM)
        assert "Traceback" not in server.said()


def test_a_body_has_a_limit_told_or_not(client):
    big = b'{"user": "' + b"x" * (1 << 20) + b'"}'
    assert client.post("/recommend", content=big).status_code == 413
    found = client.post("/recommend", content=iter([big]))
    assert found.status_code == 413 and "bytes at most" in found.json()["error"]


def test_a_body_that_never_ends_is_dropped(server):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        raw.sendall(
            b"POST /recommend HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
        )
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def _client(versions, limits=None, **options):
    limits = limits or Limits()
    server = Server(versions.folder, limits)
    server.versions = versions
    transport = httpx.ASGITransport(make_app(server, "greenlight", limits, **options))
    return server, httpx.AsyncClient(transport=transport, base_url="http://test")


def _run(coroutine):
    import asyncio

    return asyncio.run(coroutine)


def test_more_than_may_wait_gets_a_429(loaded):
    async def ask():
        import asyncio

        _, client = _client(loaded, Limits(threads=1, queue=3))
        asked = [client.post("/recommend", json={"user": "3"}) for _ in range(20)]
        found = await asyncio.gather(*asked, client.get("/healthz"))
        later = await client.post("/recommend", json={"user": "3"})
        return found, later

    found, later = _run(ask())
    statuses = [one.status_code for one in found]
    assert statuses.pop() == 200
    assert set(statuses) == {200, 429} and later.status_code == 200
    busy = next(one for one in found if one.status_code == 429)
    assert busy.headers["retry-after"] == "1" and "again" in busy.json()["error"]


def test_where_the_memory_is_taken_new_work_gets_a_429(loaded, monkeypatch):
    row = {"user_id": "3", "history_movie_id": [], "history_rating": [], "k": 3}

    async def ask():
        _, client = _client(loaded)
        paths = ("/recommend", "/v1/models/greenlight:predict", "/explain")
        bodies = ({"user": "3"}, {"instances": [row]}, {"user": "3", "movie": "heat"})
        answers = [
            await client.post(path, json=body) for path, body in zip(paths, bodies, strict=True)
        ]
        return [
            *answers,
            await client.get("/history?user=3"),
            await client.get("/similar?movie=heat"),
        ]

    monkeypatch.setattr(loaded.current.model, "budget", Budget(1))
    found = _run(ask())
    assert [one.status_code for one in found] == [429] * 5
    assert all(one.headers["retry-after"] for one in found)
    assert all("memory is taken" in one.json()["error"] for one in found)
    monkeypatch.setattr(loaded.current.model, "budget", Budget(1 << 50))
    assert [one.status_code for one in _run(ask())] == [200] * 5


def test_a_version_keeps_to_the_servers_memory_once_it_is_tried(light):
    versions = Versions(light, budget=Budget(1))  # its first calls are no user's
    versions.refresh()
    assert versions.version == "1" and versions.current.model.budget


def test_what_takes_too_long_gets_a_503(loaded):
    async def ask():
        _, client = _client(loaded, Limits(seconds=0.0001))
        recommend = await client.post("/recommend", json={"user": "3"})
        explain = await client.post("/explain", json={"user": "3", "movie": "heat"})
        return [recommend, explain]

    assert [one.status_code for one in _run(ask())] == [503, 503]


def test_with_no_model_it_lives_but_is_not_ready(tmp_path):
    async def ask():
        _, client = _client(Versions(tmp_path))
        paths = ("/healthz", "/readyz", "/v1/models/greenlight", "/about")
        return [(await client.get(path)).status_code for path in paths]

    assert _run(ask()) == [200, 503, 404, 503]


def test_a_token_guards_the_data(loaded):
    async def ask():
        _, client = _client(loaded, token="sesame")
        right, wrong = {"authorization": "Bearer sesame"}, {"authorization": "Bearer sesam"}
        paths = ("/about", "/v1/models/greenlight", "/metrics")
        guarded = [(await client.get(path, headers=h)).status_code
                   for path in paths for h in ({}, wrong, right)]  # fmt: skip
        free = [(await client.get(path)).status_code for path in ("/", "/healthz", "/readyz")]
        return guarded, free

    guarded, free = _run(ask())
    assert guarded == [401, 401, 200] * 3
    assert free == [200] * 3


def test_other_origins_may_ask_only_where_they_are_named(loaded):
    async def ask(**options):
        _, client = _client(loaded, **options)
        found = await client.get("/about", headers={"origin": "https://a.example"})
        return found.headers.get("access-control-allow-origin")

    assert _run(ask()) is None
    assert _run(ask(origins=["https://a.example"])) == "https://a.example"
    assert _run(ask(origins=["https://b.example"])) is None


def test_metrics_count_by_route_and_status(client):
    client.post("/recommend", json={"k": 0})
    client.get("/no/such/place")
    told = client.get("/metrics").text
    assert 'greenlight_requests_total{method="POST",route="/recommend",status="400"}' in told
    assert 'route="other",status="404"' in told and "/no/such/place" not in told
    assert "greenlight_version 1.0" in told
    assert "greenlight_request_seconds_bucket" in told
