"""Asks a server that runs, instead of loading a model: what the command line needs of it."""

import json
import os
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel

from schemas.errors import UserError
from schemas.words import MOVIE, Item, item_of
from serving.listening import TOKEN

Json = dict[str, Any]
SECONDS = 30.0  # until a server must have answered


class Unanswered(Exception):  # noqa: N818 (it is an outcome)
    """A server gave no answer to use; the message says why, without a full stop."""


class Remote:
    """A server at an address, asked as `Answers` is.

    Raises everywhere:
      UserError: a mistake in the request.
      Unanswered: there is no server, or it does not answer.
    """

    def __init__(self, url: str) -> None:
        """Asks nobody yet.

        Raises:
          UserError: it is no address.
        """
        parts = urlsplit(url)
        try:
            known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
        except ValueError:
            known = False
        if not known:
            raise UserError(f"--url takes an address such as http://127.0.0.1:8501, not {url!r}.")
        self._parts, self._base = parts, parts.path.rstrip("/")
        self.url = url

    @property
    def version(self) -> str:
        """The version that it serves."""
        return str(self._asked("GET", "/readyz")["version"])

    @property
    def item(self) -> Item:
        """What people call the model's movies."""
        return item_of(self._asked("GET", "/about").get("item", MOVIE))

    @property
    def mix(self) -> float:
        """By what lists are ordered for people who do not say."""
        return float(self._asked("GET", "/about").get("mix", 0.0))

    def recommend(self, request: BaseModel) -> Json:
        """See `Answers.recommend`."""
        return self._posted("/recommend", request)

    def group(self, request: BaseModel) -> Json:
        """See `Answers.group`."""
        return self._posted("/group", request)

    def rate(self, request: BaseModel) -> Json:
        """See `Answers.rate`."""
        return self._posted("/rate", request)

    def knows(self, user: str) -> bool:
        """Whether there is a user of this id."""
        return user in self._asked("GET", f"/users?k=1&q={quote(user, safe='')}")["users"]

    def names(self, typed: str) -> bool:
        """Whether this is the id or the title of a movie, to the letter."""
        try:
            movie = self._asked("GET", f"/similar?k=1&movie={quote(typed, safe='')}")["movie"]
        except UserError:
            return False
        return typed in (movie["movie_id"], movie["title"])

    def _posted(self, path: str, request: BaseModel) -> Json:
        return self._asked("POST", path, request.model_dump_json(exclude_unset=True))

    def _asked(self, method: str, path: str, body: str | None = None) -> Json:
        status, text = self._sent(method, path, body)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unanswered(f"what is at {self.url} is no Greenlight")
        if status == 400:
            raise UserError(str(answer.get("error")))
        if status != 200:
            raise Unanswered(f"{self.url} says {status}: {str(answer.get('error', path))[:200]}")
        return answer

    def _sent(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        server = kind(self._parts.hostname or "", self._parts.port, timeout=SECONDS)
        headers = {"content-type": "application/json"}
        if token := os.environ.get(TOKEN, "").strip():
            headers["authorization"] = f"Bearer {token}"
        try:
            server.request(method, self._base + path, body and body.encode(), headers)
            answer = server.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unanswered(f"no server answers at {self.url}: {reason}") from error
        finally:
            server.close()
