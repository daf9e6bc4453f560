"""What a client may hold open: uvicorn's parser bounds neither headers, nor times, nor numbers."""

import asyncio
import resource
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

SPARE_FILES = 64  # descriptors that are kept for versions to load and for the log
TOO_MANY = (503, "Too many connections are open: try again in a second.")
TOO_LONG = (431, "The request's head, its address and headers, is too long.")
TOO_SLOW = (408, "The request did not arrive in time.")
NO_HTTP = (400, "That is no HTTP request.")


@dataclass(frozen=True)
class Bounds:
    """What a connection may take.

    connections: that are open at a time; each: of them, from one address.
    head: bytes of the address and the headers of a request.
    pipelined: requests that wait while one is answered; the connection closes behind them.
    head_seconds: until a request's headers are there; body_seconds: until its body is, after them;
    idle_seconds: between an answer and the next request; read_seconds: that the client may leave an
    answer unread.
    """

    connections: int = 1000
    each: int = 250
    head: int = 1 << 16
    pipelined: int = 16
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 5.0
    read_seconds: float = 30.0


class Connections:
    """Counts the open connections by address, and makes each a protocol that keeps the bounds."""

    def __init__(self, bounds: Bounds) -> None:
        """Takes no more connections than there are file descriptors for.

        Args:
          bounds: of each connection, and of all.
        """
        self.bounds = bounds
        self._most = min(bounds.connections, _free_files(bounds.connections))
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Counts a connection from an address, unless there are too many."""
        if self._open.total() >= self._most or self._open[address] >= self.bounds.each:
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """No longer counts one that entered."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    @property
    def protocol(self) -> Any:
        """Makes the protocol of a connection: uvicorn's setting `http`."""
        return partial(BoundedProtocol, self)


class BoundedProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, within bounds.

    One clock runs at a time: until the request's head is complete, until its body is, or, with
    nothing to answer, until the next one begins. Data alone does not wind it up again, so that a
    client who sends a byte now and then is cut off as well.
    """

    def __init__(self, connections: Connections, **told: Any) -> None:
        super().__init__(**told)
        self._all, self._bounds = connections, connections.bounds
        self._address: str | None = None  # once it is counted
        self._clock: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._in_head = self._in_body = self._deaf = False
        self._head = self._since = 0  # bytes of the head that are parsed, and those not parsed yet
        self._fault = NO_HTTP

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Counts the connection, or turns it away."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if self._all.enter(address):
            self._address = address
            self._set_clock(self._bounds.head_seconds)
        else:
            self._refuse(*TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        """Makes room for another."""
        self._set_clock(None)
        if self._unread is not None:
            self._unread.cancel()
        if self._address is not None:
            self._all.leave(self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what came, unless the connection is about to close."""
        if self._deaf:
            return
        self._since += len(data)
        super().data_received(data)
        if self._in_head and self._since > self._bounds.head:
            self._refuse(*TOO_LONG)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head, self._since = True, 0, 0
        self._set_clock(self._bounds.head_seconds)

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Starts or queues the request, unless too many are waiting already."""
        if self._deaf:
            return
        if len(self.pipeline) >= self._bounds.pipelined:
            self.cycle.keep_alive, self._deaf = False, True
            self._set_clock(None)
            return
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        self._set_clock(self._bounds.body_seconds)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if not self._deaf:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has arrived."""
        if self._deaf:
            return
        super().on_message_complete()
        self._in_body = False
        self._set_clock(self._bounds.idle_seconds if self._answered else None)

    def on_response_complete(self) -> None:
        """An answer is sent."""
        super().on_response_complete()
        if self._answered and not self._in_head and not self._in_body:
            self._set_clock(self._bounds.idle_seconds)

    def pause_writing(self) -> None:
        """The client does not read: it may do so for a while."""
        super().pause_writing()
        self._unread = self.loop.call_later(self._bounds.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def send_400_response(self, msg: str) -> None:
        """Answers what the parser does not understand."""
        self._refuse(*self._fault)

    @property
    def _answered(self) -> bool:
        """Whether no request is being answered or waits for it."""
        return not self.pipeline and (self.cycle is None or self.cycle.response_complete)

    def _count(self, more: int) -> None:
        self._head, self._since = self._head + more, 0
        if self._head > self._bounds.head:
            self._fault = TOO_LONG
            raise ValueError(TOO_LONG)  # which the parser makes an error of its own

    def _set_clock(self, seconds: float | None) -> None:
        if self._clock is not None:
            self._clock.cancel()
        self._clock = None if seconds is None else self.loop.call_later(seconds, self._expired)

    def _expired(self) -> None:
        """Closes the connection; says why, where the client waits for this answer and no other."""
        heard = self._in_body and not self.pipeline and not self.cycle.response_started
        if (self._in_head and self._answered) or heard:
            self._refuse(*TOO_SLOW)
        elif self._in_head or self._in_body:
            self.transport.abort()
        else:
            self.transport.close()

    def _refuse(self, status: int, sentence: str) -> None:
        """Answers in the application's place, and closes the connection."""
        self._deaf = True
        self._set_clock(None)
        body = orjson.dumps({"error": sentence})
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"".join([STATUS_LINE[status], head, b"\r\n", body]))
        self.transport.close()


def _free_files(wanted: int) -> int:
    """How many connections there are file descriptors for; asks the system for more, if need be."""
    used = len(list(Path("/dev/fd").iterdir())) + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < used + wanted:
        most = used + wanted if hard == resource.RLIM_INFINITY else min(hard, used + wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return max(1, soft - used)
