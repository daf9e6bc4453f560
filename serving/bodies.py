"""Reads the bodies of requests: bounded, and unpacked."""

import asyncio
import zlib
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.guards import refusal, refuse

GZIP = ("gzip", "x-gzip")
MOST_MEMBERS = 16  # each costs a copy of what follows it
SKIPPED, SKIP_SECONDS = 1 << 28, 10.0  # of a body that is too long: read on, and thrown away
_WITH_GZIP_HEADER = 16 + zlib.MAX_WBITS


class TooLarge(Exception):  # noqa: N818 (it is a state)
    """A body holds more than it may."""


class Bodies:
    """Refuses bodies above a number of bytes, declared or not, and unpacks those in gzip."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the whole body, which is small, and passes it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        encoding = headers.get("content-encoding", "").strip().lower()
        try:
            body = await self._read(receive, headers.get("content-length", ""))
        except TooLarge:
            await _refuse_unread(receive, send, self._sentence)
            return
        if body is None:
            return
        try:
            if body and encoding in GZIP:
                body = unpack(body, self._most)
                del headers["content-encoding"]
                headers["content-length"] = str(len(body))
            elif body and encoding not in ("", "identity"):
                sentence = "That Content-Encoding is not read: send gzip, or the body as it is."
                await refuse(send, 415, sentence, (b"accept-encoding", b"gzip"))
                return
        except TooLarge:
            await refuse(send, 413, self._sentence)
        except zlib.error:
            await refuse(send, 400, "The body is not the gzip that its Content-Encoding says.")
        else:
            await self._app(scope, _replayed(body, receive), send)

    @property
    def _sentence(self) -> str:
        return f"A body may have {self._most} bytes at most."

    async def _read(self, receive: Receive, declared: str) -> bytes | None:
        """The body; None if the client went away."""
        if declared.isdecimal() and int(declared) > self._most:
            raise TooLarge
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._most:
                raise TooLarge
        return bytes(body)


async def _refuse_unread(receive: Receive, send: Send, sentence: str) -> None:
    """Answers, reads on for a while, and closes the connection.

    Most clients send all of a body before they listen; closed too early, they would not hear.
    """
    start, body = refusal(413, sentence, (b"connection", b"close"))
    await send(start)
    await send({**body, "more_body": True})
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_skip(receive), SKIP_SECONDS)
    await send({"type": "http.response.body", "body": b""})


async def _skip(receive: Receive) -> None:
    skipped, more = 0, True
    while more and skipped <= SKIPPED:
        message = await receive()
        skipped += len(message.get("body", b""))
        more = message.get("more_body", False)


def unpack(body: bytes, most: int) -> bytes:
    """What a body in gzip holds; never more than `most` bytes and one are unpacked.

    Raises:
      zlib.error: it is broken, ends too early, or has too many members.
    """
    content = b""
    for _ in range(MOST_MEMBERS):
        member = zlib.decompressobj(_WITH_GZIP_HEADER)
        content += member.decompress(body, most + 1 - len(content))
        if len(content) > most:
            raise TooLarge
        if not member.eof:
            raise zlib.error("it ends too early")
        body = member.unused_data
        if not body:
            return content
    raise zlib.error("it has too many members")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, and then whatever is received after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
