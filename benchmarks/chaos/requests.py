"""Sends a server what no client should: mended and broken HTTP, JSON of any shape, wrong types."""

import json
import socket
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.chaos.row import Row
from benchmarks.serving import Served

ROUTES = (
    ("POST", "/recommend", {"user": "1", "k": 5}),
    ("POST", "/recommend", {"history": [{"movie": "1", "rating": 5}], "genres": ["Drama"]}),
    ("POST", "/group", {"people": [{"user": "1"}, {"user": "2"}]}),
    ("POST", "/rate", {"user": "1", "movies": ["1", "2"]}),
    ("POST", "/explain", {"user": "1", "movie": "2"}),
    (
        "POST", "/v1/models/greenlight:predict",
        {"instances": [{"user_id": "1", "history_movie_id": [], "history_rating": [], "k": 3}]},
    ),
    ("GET", "/movies?q=film&k=3", None),
    ("GET", "/similar?movie=1&k=3", None),
    ("GET", "/users/1/history", None),
    ("GET", "/v1/models/greenlight/versions/1/metadata", None),
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 2**31, 2**63, 10**400, 1e308, -0.0, float("nan"), float("inf"),
    "", "a" * 3000, "\ud800", "\x00\x1b[2J", "..", "/", "%00", "1", ["1", 1],
    [], {}, [[]], [None], {"": ""}, [[[["1"]]]],
)  # fmt: skip
PATIENCE, SECONDS = 2, 30  # before a request is told to be at its end, and after it
SILENCE = "no answer"


def fuzz(served: Served, wanted: int) -> Row:
    """Sends `wanted` requests, each on a connection of its own, and counts the answers.

    It holds if each is answered by a status below 500 or its connection is closed in time, and the
    server is ready afterwards.

    Raises:
      ValueError: an unchanged request is refused already, so that changing it would try nothing.
    """
    for method, path, body in ROUTES:
        if (status := _answer(served.port, _raw(method, path, body))) != "200":
            raise ValueError(f"{method} {path} is answered by {status}")
    rng, found = np.random.default_rng(2), Counter[str]()
    for _ in range(wanted):
        found[_answer(served.port, _request(rng))] += 1
    ready = served.version() is not None
    wrong = sum(n for told, n in found.items() if told == SILENCE or told.startswith("5"))
    told = ", ".join(f"{n:,} {status}" for status, n in sorted(found.items()))
    return Row("requests fuzzed", wanted, (wanted - wrong) * ready, told)


def _request(rng: np.random.Generator) -> bytes:
    """A valid request of which the body's values, and in a third the bytes, are changed."""
    method, path, body = ROUTES[rng.integers(len(ROUTES))]
    for _ in range(rng.integers(1, 4)):
        body = _changed(rng, body)
    raw = bytearray(_raw(method, path, body))
    if rng.random() < 1 / 3:
        for place in rng.integers(0, len(raw), rng.integers(1, 6)):
            raw[place] = rng.integers(256)
    return bytes(raw[: rng.integers(len(raw))] if rng.random() < 0.05 else raw)


def _raw(method: str, path: str, body: Any) -> bytes:
    sent = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(sent)}\r\n\r\n".encode() + sent


def _changed(rng: np.random.Generator, value: Any) -> Any:
    """A JSON value in which one place, drawn on the way down, holds something else."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = list(value)[rng.integers(len(value))]
        return {**value, key: _changed(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = int(rng.integers(len(value)))
        return [*value[:place], _changed(rng, value[place]), *value[place + 1 :]]
    return value if value is None else ODD[rng.integers(len(ODD))]


def _answer(port: int, request: bytes) -> str:
    """The status of the answer; what happened instead where there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(request)
            try:
                first = connection.recv(64)
            except TimeoutError:  # it takes the request for the beginning of a longer one
                connection.settimeout(SECONDS)
                connection.shutdown(socket.SHUT_WR)
                first = connection.recv(64)
    except (ConnectionResetError, BrokenPipeError):
        return "closed"
    except TimeoutError:
        return SILENCE
    return str(first.split()[1], "ascii") if first.startswith(b"HTTP/") else "closed"
