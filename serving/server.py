"""Runs the application until it is told to stop."""

import logging
import math
import signal
import socket
import time
from types import FrameType

import tensorflow as tf
import uvicorn
from fastapi import FastAPI

from schemas.text import printable
from serving.connections import Bounds, Connections
from serving.posters import Posters
from serving.service import Limits, Server

log = logging.getLogger("greenlight.serving")
GRACE = 30  # seconds that running requests have to end
POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'self'"


def secure(posters: Posters) -> list[tuple[str, str]]:
    """Headers of every answer, those of the HTTP parser and of faults as well."""
    return [
        ("content-security-policy", POLICY + posters.policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ]


class Printable(logging.Formatter):
    """Lines whose names steer no terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's text."""
        return "\n".join(map(printable, super().format(record).split("\n")))


class Draining(uvicorn.Server):
    """On SIGTERM says for a while that it is not ready, answers as before, and then stops."""

    def __init__(self, config: uvicorn.Config, server: Server, seconds: float) -> None:
        super().__init__(config)
        self._server, self._seconds = server, seconds
        self._end: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes leave at the first SIGTERM; stops at once at any other signal, or a second one."""
        first = sig == signal.SIGTERM and not self.should_exit and self._end is None
        super().handle_exit(sig, frame)
        if first and self._server.ready:
            self._server.stopping, self.should_exit = True, False
            self._end = time.monotonic() + self._seconds

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop."""
        over = self._end is not None and time.monotonic() >= self._end
        return await super().on_tick(counter) or over or self._server.fault is not None


def run(
    server: Server,
    app: FastAPI,
    limits: Limits,
    sockets: list[socket.socket],
    drain: float,
    bounds: Bounds,
) -> None:
    """Answers at the sockets.

    Args:
      server: what the application serves.
      app: the application.
      limits: see `Limits`.
      sockets: bound, and not yet listened at.
      drain: seconds between SIGTERM, from when on it is not ready, and the end.
      bounds: see `Bounds`.

    Raises:
      UserError: there is nothing to serve, and it was not told to wait.
      OSError: somebody else listens there by now.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Printable("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("greenlight").setLevel(logging.INFO)
    # Many small calls: threads within one would cost more than they bring.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(limits.threads)
    config = uvicorn.Config(
        app,
        http=Connections(bounds).protocol,
        ws="none",
        log_level="error",  # its warnings tell of clients' mistakes, one by one
        access_log=False,
        server_header=False,
        headers=secure(server.versions.posters),
        timeout_keep_alive=math.ceil(bounds.idle_seconds),
        timeout_graceful_shutdown=GRACE,
    )
    for opened in sockets:
        host, port = opened.getsockname()[:2]
        log.info("listening at http://%s:%d", f"[{host}]" if ":" in host else host, port)
    Draining(config, server, drain).run(sockets)
    if server.fault:
        raise server.fault
