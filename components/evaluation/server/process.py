"""A server process on an export, and how it is asked."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import tensorflow as tf

from components.tfx.artifacts import copy_folder
from schemas.temporary import temporary_folder
from schemas.text import to_text

START_SECONDS, ANSWER_SECONDS = 600.0, 300.0  # that the server has, on a machine that is busy
Json = Any


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
        end = time.monotonic() + START_SECONDS
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
        raise Refused(f"the server is not ready after {START_SECONDS:.0f} seconds")

    def get(self, path: str, **query: Any) -> Json:
        """The answer to GET; values of the query are escaped, the path is taken as it is."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Json) -> Json:
        """The answer to POST of JSON."""
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method: str, path: str, body: str | None) -> Json:
        # One connection for each request: on a busy machine the server may close one that is kept.
        headers = {"connection": "close", "content-type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
        with closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status != 200:
            words = to_text(content)[:200]
            raise Refused(f"{method} {path[:200]} is answered with {answer.status}, {words}")
        return json.loads(content)


@contextmanager
def running(model: str) -> Iterator[Server]:
    """Starts the server on a SavedModel, which may be remote, and ends it."""
    with temporary_folder() as folder:
        _place(model, folder / "models" / "1")
        port, log = _free_port(), folder / "log"
        command = [sys.executable, "-m", "serving", "--model-dir", f"{folder}/models", "--port",
                   str(port), "--seconds", str(ANSWER_SECONDS), "--drain", "0"]  # fmt: skip
        # A token in the environment is meant for another server.
        environment = {k: v for k, v in os.environ.items() if k != "GREENLIGHT_TOKEN"}
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            yield Server(process, port, log)
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _place(model: str, version: Path) -> None:
    version.parent.mkdir()
    if Path(model).is_dir():
        version.symlink_to(Path(model).resolve())
    elif tf.io.gfile.isdir(model):
        copy_folder(model, str(version))
    else:
        raise Refused(f"there is no model in {model}")
