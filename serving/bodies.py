"""Reads the bodies of requests: bounded, and unpacked."""

import zlib

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.guards import refuse

GZIP = ("gzip", "x-gzip")
MOST_MEMBERS = 16  # each costs a copy of what follows it
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
            body = await self._read(receive)
            if body is None:
                return
            if body and encoding in GZIP:
                body = unpack(body, self._most)
                del headers["content-encoding"]
                headers["content-length"] = str(len(body))
            elif body and encoding not in ("", "identity"):
                sentence = "That Content-Encoding is not read: send gzip, or the body as it is."
                await refuse(send, 415, sentence, (b"accept-encoding", b"gzip"))
                return
        except TooLarge:
            sentence = f"A body may have {self._most} bytes at most."
            await refuse(send, 413, sentence, (b"connection", b"close"))
        except zlib.error:
            await refuse(send, 400, "The body is not the gzip that its Content-Encoding says.")
        else:
            await self._app(scope, _replayed(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body; None if the client went away."""
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
