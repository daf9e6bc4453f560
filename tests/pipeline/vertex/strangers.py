"""A local server that is none of the services that are asked: what proxies and login pages send."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOGIN = b"<!doctype html><title>Sign in</title><form method=post action=/login></form>"
JSON, HTML = "application/json", "text/html; charset=utf-8"
# Each answer: status, type, body, and how many bytes the body is said to have beyond its own.
ANSWERS: dict[str, tuple[int, str, bytes, int]] = {
    "a login page": (200, HTML, LOGIN, 0),
    "a way to a login page": (302, HTML, b"", 0),
    "no credentials": (401, HTML, LOGIN, 0),
    "no right": (403, JSON, b'{"error": {"code": 403, "message": "no"}}', 0),
    "a fault": (500, HTML, b"<h1>Bad day</h1>", 0),
    "an empty object": (200, JSON, b"{}", 0),
    "an empty body": (200, JSON, b"", 0),
    "other JSON": (200, JSON, b'{"login": "https://sso", "status": "ok"}', 0),
    "a list": (200, JSON, b'[{"run_id": "r1"}]', 0),
    "nulls": (200, JSON, b'{"run_id": null, "name": null, "experiment_id": null}', 0),
    "numbers": (200, JSON, b'{"run_id": 7, "name": "7", "experiment_id": 7}', 0),
    "half an object": (200, JSON, b'{"name": "projects/films/loc', 0),
    "a body cut off": (200, JSON, b'{"name": "projects/films/loc', 500),
    "no UTF-8": (200, JSON, b'{"name": "\xff\xfe', 0),
    "JSON as a page": (200, HTML, b'{"login": "yes"}', 0),
}


class Stranger(ThreadingHTTPServer):
    """Answers everything in one way, and counts what it was asked."""

    def __init__(self, answer: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.asked = ANSWERS[answer], list[tuple[str, str, dict[str, str]]]()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def _serve(self) -> None:
        server: Any = self.server
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        server.asked.append((self.command, self.path, dict(self.headers)))
        at_login = self.path == "/login"
        status, kind, body, missing = ANSWERS["a login page"] if at_login else server.answer
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/login")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) + missing))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = bool(missing)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 (the server's names)

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@contextmanager
def stranger(answer: str) -> Iterator[Stranger]:
    """Lets a stranger answer on a free port of this machine."""
    with Stranger(answer) as server, running(server):
        yield server


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """Lets a server answer from a thread of its own."""
    # It looks that often whether it is to end, which each test of a stub waits for.
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
