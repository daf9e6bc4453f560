"""A client with a raw socket: heads, clocks, pipelines, and more connections than there may be."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn

from serving.bodies import Bodies
from serving.connections import Bounds, Connections
from tests.serving.conftest import ROOT

ABOUT = b"GET /about HTTP/1.1\r\nhost: localhost\r\n\r\n"
SOON = 0.3  # seconds, of the clocks of the small server


@contextmanager
def opened(url, address="127.0.0.1"):
    host, port = url.removeprefix("http://").split(":")
    place, source = (host, int(port)), (address, 0)
    with socket.create_connection(place, timeout=30, source_address=source) as raw:
        yield raw


def heard(raw):
    """All that is said until the other side closes."""
    parts = []
    try:
        while part := raw.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def statuses(said):
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


def megabytes(server):
    text = Path(f"/proc/{server.process._process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) // 1024


def test_an_endless_head_is_cut_off_and_nobody_waits(server, client):
    before, sent = megabytes(server), 0
    with opened(server.url) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ")
        with pytest.raises(OSError):
            while sent < 100_000_000:
                sent += raw.send(b"a" * (1 << 16))
    assert sent < 20_000_000  # what the system takes before it tells
    assert client.get("/healthz").elapsed.total_seconds() < 2
    assert megabytes(server) < before + 20


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 40_000 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"a" * 400_000,
        b"GET / HTTP/1.1\r\nx: " + b"a" * 400_000,
    ],
    ids=["address", "header", "headers", "name", "open"],
)
def test_a_long_head_is_a_431(server, head):
    with opened(server.url) as raw:
        with suppress(OSError):  # it may be closed before all is sent
            raw.sendall(head)
        said = heard(raw)
    assert statuses(said) == [431] and b"is too long" in said
    assert b"x-content-type-options: nosniff" in said


def test_a_head_below_the_limit_is_answered(client):
    found = client.get("/about", headers={"x": "a" * 60_000})
    assert found.status_code == 200


def test_what_is_no_http_is_a_400_in_json_with_the_headers_of_all_answers(server):
    for words in (
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\0" * 99,
    ):
        with opened(server.url) as raw:
            raw.sendall(words)
            said = heard(raw)
        assert statuses(said) == [400] and b'{"error":' in said
        assert b"content-security-policy: default-src 'self'" in said


def test_few_requests_may_wait_in_a_connection(server):
    with opened(server.url) as raw:
        raw.sendall(ABOUT * 5 + ABOUT.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        assert statuses(heard(raw)) == [200] * 6
    before = megabytes(server)
    with opened(server.url) as raw:
        with suppress(OSError):  # it is closed behind the first ones
            raw.sendall(ABOUT * 100_000)
        said = statuses(heard(raw))
    assert set(said) <= {200} and len(said) <= 1 + Bounds().pipelined
    assert megabytes(server) < before + 20


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_that_is_too_long_gets_its_413(server, chunked):
    size = 30_000_000
    how = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % size
    head = b"POST /recommend HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with opened(server.url) as raw:
        raw.sendall(head + how + b"\r\n\r\n")
        for _ in range(size // 100_000):
            raw.sendall(b"%x\r\n" % 100_000 * chunked + b"a" * 100_000 + b"\r\n" * chunked)
        raw.sendall(b"0\r\n\r\n" * chunked)
        said = heard(raw)
    assert statuses(said) == [413] and b"bytes at most" in said


def test_a_client_that_asks_first_need_not_send_what_is_too_long(server):
    with opened(server.url) as raw:
        raw.sendall(b"POST /recommend HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000000\r\n"
                    b"content-type: application/json\r\nexpect: 100-continue\r\n\r\n")  # fmt: skip
        assert raw.recv(1 << 16).startswith(b"HTTP/1.1 413")


async def echo(scope, receive, send):
    """Answers at once; below /long with more than anybody's buffers hold."""
    body = b"x" * (50_000_000 if scope["path"] == "/long" else 1)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def small(connections, listening):
    """A server of an application without a model."""
    config = uvicorn.Config(Bodies(echo, most=10_000), http=connections.protocol, lifespan="off",
                            log_level="critical", timeout_keep_alive=600, ws="none")  # fmt: skip
    return uvicorn.Server(config), [listening]


@pytest.fixture(scope="module")
def quick():
    """Such a server in a thread, with short clocks and little room: its address, and its count."""
    listening = socket.create_server(("127.0.0.1", 0))
    connections = Connections(Bounds(20, 5, 1000, 2, SOON, SOON, SOON, SOON))
    server, sockets = small(connections, listening)
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", connections._open
    server.should_exit = True
    thread.join()


HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n"


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (b"", []),  # never begins
        (b"GET / HTTP/1.1\r\nhost", [408]),
        (POST + b"a", [408]),
        (HEAD, [200]),  # idle after an answer
        (HEAD + b"GET", [200, 408]),
        (HEAD + POST + b"a", [200, 408]),
    ],
    ids=["silent", "head", "body", "idle", "next head", "next body"],
)
def test_who_takes_too_long_is_closed_with_a_word(quick, sent, answers):
    with opened(quick[0]) as raw:
        raw.sendall(sent)
        assert statuses(heard(raw)) == answers


@pytest.mark.parametrize("drop", [b"\r\n", b"a: b\r\n", b"a"])
@pytest.mark.parametrize("sent", [b"", HEAD, HEAD[:-2], POST, HEAD + POST])
def test_a_drop_now_and_then_keeps_nothing_open(quick, sent, drop):
    with opened(quick[0]) as raw, suppress(OSError):
        raw.sendall(sent)
        raw.settimeout(SOON / 5)
        end = time.monotonic() + 10
        while True:
            assert time.monotonic() < end
            with suppress(TimeoutError):
                if not raw.recv(1 << 16):
                    return
            raw.sendall(drop)


def test_who_does_not_read_is_closed(quick):
    url, count = quick
    with opened(url) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.sendall(HEAD.replace(b"/ ", b"/long "))
        until(lambda: count)
        until(lambda: not count)


def test_an_address_has_its_share_and_all_have_theirs(quick):
    url, count = quick
    with ExitStack() as held:
        raws = [held.enter_context(opened(url, "127.0.0.2")) for _ in range(8)]
        until(lambda: count["127.0.0.2"] == 5)
        refused = [statuses(heard(raw)) for raw in raws[5:]]
        assert refused == [[503]] * 3
        raws = [held.enter_context(opened(url, f"127.0.0.{i}")) for i in range(3, 9) for _ in "123"]
        until(lambda: count.total() == 20)
        assert [statuses(heard(raw)) for raw in raws[15:]] == [[503]] * 3
    until(lambda: not count)  # those that are gone do not count
    assert httpx.get(url).status_code == 200


FEW = """
import resource, socket, uvicorn
from serving.connections import Bounds, Connections

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})

resource.setrlimit(resource.RLIMIT_NOFILE, (90, 90))
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
config = uvicorn.Config(app, http=Connections(Bounds()).protocol, lifespan="off", ws="none")
uvicorn.Server(config).run([listening])
"""


def test_it_outlives_more_connections_than_there_are_files_for():
    command = [sys.executable, "-c", FEW]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            url = f"http://127.0.0.1:{int(next(iter(process.stdout or ())))}"
            with ExitStack() as held:
                for _ in range(200):
                    held.enter_context(opened(url))
                files = Path(f"/proc/{process.pid}/fd")
                until(lambda: len(list(files.iterdir())) > 10)
                assert len(list(files.iterdir())) < 60
            until(lambda: _status(url) == 200)
        finally:
            process.terminate()


def _status(url):
    try:
        return httpx.get(url).status_code
    except httpx.TransportError:
        return None
