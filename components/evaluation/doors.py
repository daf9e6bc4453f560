"""Asks the real server, started on an export, for names that the data hold.

Loading a graph does not show that it can be served: what turns names into text and paths, and back,
stands between the two. A process of its own is asked over HTTP, and its answers are held against
the graph's.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from tfx.dsl.io import fileio
from tfx.utils import io_utils

from schemas.text import to_text

START, ANSWER = 600.0, 300.0  # seconds that the server has, on a machine that is busy
AGREE = 1e-3
Json = Any


class Asked(NamedTuple):
    """What to ask for.

    pairs: users and movies, with what the graph answers: see `reload.as_served`.
    histories: the ids that each of those users has rated.
    titles: of movies.
    genres: names.
    """

    pairs: Sequence[Mapping[str, Any]]
    histories: Mapping[str, set[str]]
    titles: Sequence[str]
    genres: Sequence[str]

    @property
    def names(self) -> int:
        """How many different names are asked for."""
        sides = ({pair[side] for pair in self.pairs} for side in ("user", "movie"))
        return sum(map(len, sides)) + len(self.titles) + len(self.genres)


class Refused(Exception):  # noqa: N818 (it is an outcome)
    """The server does not start, or does not answer."""


class Server:
    """A server process that answers at a port of this machine."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self._process, self._log, self.url = process, log, f"http://127.0.0.1:{port}"
        self._port = port

    def wait(self) -> None:
        """Returns once it has a model in service.

        Raises:
          Refused: it ended, or takes too long.
        """
        end = time.monotonic() + START
        while time.monotonic() < end:
            if self._process.poll() is not None:
                lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                # Behind the last word there may be why a version was refused.
                raise Refused(f"the server does not start: {'; '.join(lines[-2:])[:600]}")
            try:
                self.get("/readyz")
            except (OSError, http.client.HTTPException, Refused):
                time.sleep(0.1)
            else:
                return
        raise Refused(f"the server is not ready after {START:.0f} seconds")

    def get(self, path: str, **query: Any) -> Json:
        """The answer to GET; values of the query are escaped, the path is taken as it is."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Json) -> Json:
        """The answer to POST of JSON."""
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method: str, path: str, body: str | None) -> Json:
        # One connection for each request: on a busy machine the server may close one that is kept.
        headers = {"connection": "close", "content-type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER)
        with closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status != 200:
            said = to_text(content)[:200]
            raise Refused(f"{method} {path[:200]} is answered with {answer.status}, {said}")
        return json.loads(content)


@contextmanager
def running(model: str) -> Iterator[Server]:
    """Starts the server on a SavedModel, which may be remote, and ends it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        _place(model, Path(folder, "models", "1"))
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        log = Path(folder, "log")
        command = [sys.executable, "-m", "serving", "--model-dir", f"{folder}/models",
                   "--port", str(port), "--seconds", str(ANSWER), "--drain", "0"]  # fmt: skip
        # A token in the environment is meant for another server.
        environment = {k: v for k, v in os.environ.items() if k != "GREENLIGHT_TOKEN"}
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            yield Server(process, port, log)
        finally:
            process.terminate()
            process.wait()


def _place(model: str, version: Path) -> None:
    version.parent.mkdir()
    if Path(model).is_dir():
        version.symlink_to(Path(model).resolve())
    elif fileio.isdir(model):
        io_utils.copy_dir(model, str(version))
    else:
        raise Refused(f"there is no model in {model}")


def fault(server: Server, asked: Asked) -> str | None:
    """The first name for which the server does not answer as the graph does, in a sentence."""
    try:
        server.wait()
    except Refused as error:
        return str(error)
    for words, ask in _questions(asked):
        try:
            apart = ask(server)
        except (Refused, OSError, http.client.HTTPException, KeyError) as error:
            apart = f"{error}" if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
        if apart:
            return f"the server does not answer as the graph does {words}: {apart}"
    return None


def _questions(asked: Asked) -> Iterator[tuple[str, Any]]:
    for pair in asked.pairs:
        yield (
            f"for the user {pair['user'][:100]!r} and the movie {pair['movie'][:100]!r}",
            lambda server, pair=pair: _pair(server, pair, asked.histories[pair["user"]]),
        )
    for title in asked.titles:
        yield f"for the title {title[:100]!r}", lambda server, title=title: _title(server, title)
    for genre in asked.genres:
        yield f"for the genre {genre[:100]!r}", lambda server, genre=genre: _genre(server, genre)


def _pair(server: Server, pair: Mapping[str, Any], rated: set[str]) -> str | None:
    user, movie = pair["user"], pair["movie"]
    k = max(1, len(pair["listed"]))
    listed = _scored(server.post("/recommend", {"user": user, "k": k}))
    if not _same(listed, pair["listed"]):
        return f"/recommend lists {listed}, and the graph {pair['listed']}"
    row = {"user_id": user, "history_movie_id": [], "history_rating": [], "k": k}
    body = {"signature_name": "recommend", "instances": [row]}
    found = server.post("/v1/models/greenlight:predict", body)["predictions"][0]
    listed = [pair for pair in zip(found["movie_id"], found["score"], strict=True) if pair[0]]
    if not _same(listed, pair["listed"]):
        return f":predict lists {listed}, and the graph {pair['listed']}"
    if "rating" in pair:
        found = server.post("/rate", {"user": user, "movies": [movie]})["movies"][0]
        if found["movie_id"] != movie or not _close(found["rating"], pair["rating"]):
            told = f"{found['rating']} of {found['movie_id']!r}"
            return f"/rate says {told}, the graph {pair['rating']}"
    if user not in {".", ".."}:  # clients take these for folders
        found = server.get(f"/users/{quote(user, safe='')}/history")["history"]
        if {event["movie_id"] for event in found} != rated:
            return f"the history has {len(found)} ratings, and the rating files have {len(rated)}"
    found = server.get("/history", user=user)["history"]
    if {event["movie_id"] for event in found} != rated:
        return f"/history has {len(found)} ratings, and the rating files have {len(rated)}"
    if user not in server.get("/users", q=user)["users"]:
        return "/users does not find the id"
    found = _scored(server.get("/similar", movie=movie, k=max(1, len(pair["similar"]))))
    if not _same(found, pair["similar"]):
        return f"/similar lists {found}, and the graph {pair['similar']}"
    if "explained" in pair:
        found = server.post("/explain", {"user": user, "movie": movie})["history"]
        if {event["movie_id"] for event in found} != {*pair["explained"]}:
            return "/explain names other movies than the graph does"
    return None


def _title(server: Server, title: str) -> str | None:
    found = server.get("/similar", movie=title, k=1)["movie"]
    if title not in (found["title"], found["movie_id"]):
        return f"it stands for the movie {found['movie_id']!r}, {found['title']!r}"
    return None


def _genre(server: Server, genre: str) -> str | None:
    found = server.post("/recommend", {"genres": [genre]})["movies"]
    if not found or not all(genre in movie["genres"] for movie in found):
        return f"of {len(found)} movies, {sum(genre in m['genres'] for m in found)} are of it"
    return None


def _scored(found: Json) -> list[tuple[str, float]]:
    return [(movie["movie_id"], movie["score"]) for movie in found["movies"]]


def _same(one: Sequence[tuple[str, float]], other: Sequence[Sequence[Any]]) -> bool:
    """Whether two lists are the same but for the order of movies whose scores are."""
    scores, ours = [score for _, score in other], dict(one)
    return (
        len(one) == len(other)
        and all(_close(a, b) for (_, a), b in zip(one, scores, strict=True))
        and all(_close(ours.get(movie, score), score) for movie, score in other)
    )


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= AGREE
