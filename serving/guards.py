"""What stands before every route: metrics, the base path, HEAD, hosts, content types, the token."""

import hmac
import re
import time
from collections.abc import Callable, Sequence

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.posters import PATH

WITHOUT_TOKEN = (
    "/",
    "/healthz",
    "/readyz",
    "/docs",
    "/openapi.json",
)  # and /static and pictures of movies: they hold no data of people
PROBES = ("/healthz", "/readyz")
METHODS = ("GET", "HEAD", "POST")
UNTOLD = ("", "application/x-www-form-urlencoded")  # what clients send that were not told
_JSON = re.compile(r"application/(.+\+)?json")
_PORT = re.compile(r":\d*$")


def route_path(scope: Scope) -> str:
    """The path as the routes are written, without the base path."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def refusal(status: int, sentence: str, *headers: tuple[bytes, bytes]) -> tuple[Message, Message]:
    """An answer of a sentence as JSON: what starts it, and its body."""
    body = orjson.dumps({"error": sentence})
    plain = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": status, "headers": [*plain, *headers]}
    return start, {"type": "http.response.body", "body": body}


async def refuse(send: Send, status: int, sentence: str, *headers: tuple[bytes, bytes]) -> None:
    """Answers with a sentence as JSON."""
    for message in refusal(status, sentence, *headers):
        await send(message)


class BasePath:
    """Serves everything below a path, whether or not a proxy has taken it off."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app, self._base = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Says the whole path and the base path, as ASGI asks for."""
        if self._base and scope["type"] == "http":
            path = scope["path"]
            if path == self._base:
                path += "/"
            if not path.startswith(f"{self._base}/"):
                path = self._base + path
            scope = {**scope, "path": path, "root_path": self._base}
        await self._app(scope, receive, send)


class Metrics:
    """Counts and times requests by route and status."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "greenlight_requests", "Requests", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "greenlight_request_seconds", "Time to answer", ["route"], registry=registry,
            buckets=[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on and takes note."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            # The route as it is written: a label for every path that is asked would never end.
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._requests.labels(method, route, status).inc()
            self._seconds.labels(route).observe(time.perf_counter() - started)


class CloseWhenStopping:
    """Closes each connection after its answer while the server stops: clients then find another."""

    def __init__(self, app: ASGIApp, stopping: Callable[[], bool]) -> None:
        self._app, self._stopping = app, stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Closes the connection after the answer."""

        async def close(message: Message) -> None:
            if message["type"] == "http.response.start" and self._stopping():
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, close)


class Head:
    """Answers HEAD as GET is answered, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Asks with GET and passes on no content."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def bare(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, bare)
        finally:
            scope["route"] = as_get.get("route")  # for the metrics


class Hosts:
    """Answers only those who asked for a host of these names, so that no page borrows another's.

    A page whose name is made to point here (DNS rebinding) would otherwise be of the same origin.
    Probes ask by address, and learn nothing: they are always answered.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str]) -> None:
        self._app, self._names = app, frozenset(names)
        self._ends = tuple(name.removeprefix("*") for name in names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compares the host with the names."""
        if scope["type"] == "http" and route_path(scope) not in PROBES:
            host = _PORT.sub("", Headers(scope=scope).get("host", "")).lower()
            if host not in self._names and not host.endswith(self._ends):
                sentence = "This server does not go by that name: start it with --allowed-hosts."
                await refuse(send, 400, sentence)
                return
        await self._app(scope, receive, send)


class ContentType:
    """Takes JSON alone for POST: a page of another origin cannot send that without asking first.

    Where `lenient`, what `curl -d` sends is taken for JSON, too; never from a page.
    """

    def __init__(self, app: ASGIApp, lenient: bool) -> None:
        self._app, self._lenient = app, lenient

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Looks at the type of what is posted."""
        if scope["type"] == "http" and scope["method"] == "POST":
            headers = MutableHeaders(scope=scope)
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if not _JSON.fullmatch(kind):
                if kind not in UNTOLD or "origin" in headers or not self._lenient:
                    sentence = "Send JSON, and say so: Content-Type: application/json."
                    await refuse(send, 415, sentence, (b"accept", b"application/json"))
                    return
                headers["content-type"] = "application/json"
        await self._app(scope, receive, send)


class BearerToken:
    """Asks for `Authorization: Bearer TOKEN` on all but the open routes."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._wanted = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compares the token in constant time; the scheme's case is free (RFC 9110, 11.1)."""
        if scope["type"] == "http" and not _needs_no_token(route_path(scope)):
            header = dict(scope["headers"]).get(b"authorization", b"")
            scheme, _, sent = header.partition(b" ")
            correct = hmac.compare_digest(sent.strip(), self._wanted)
            if not correct or scheme.lower() != b"bearer":
                await refuse(send, 401, "This server wants a bearer token.",
                             (b"www-authenticate", b"Bearer"))  # fmt: skip
                return
        await self._app(scope, receive, send)


def _needs_no_token(path: str) -> bool:
    return path in WITHOUT_TOKEN or path.startswith(("/static/", f"/{PATH}/"))
