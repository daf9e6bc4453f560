"""Exported models, and real server processes over them, that the serving tests share."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from benchmarks.synthetic_model import export_random
from pipeline import cli
from schemas.words import Item
from serving import versions
from tests.models import serving_model
from tests.processes import Forked
from tests.shared import made_once

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with version 1, which all read and none may change."""
    return serving_model(tmp_path_factory)


@pytest.fixture(scope="session")
def light(tmp_path_factory):
    """The same of a model of songs without ratings, which loads and answers sooner.

    Its source names posters.
    """
    return made_once(
        tmp_path_factory, "light_model",
        lambda folder: export_random(
            folder / "1", 60, 6, events=8, rated=0.0, item=Item("song", "songs"), posters=True
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def push(light):
    """Pushes a version into a folder as the Pusher does: the graph's file comes last."""

    def copy(folder, version):
        graph = shutil.ignore_patterns("saved_model.pb")
        shutil.copytree(light / "1", folder / version, ignore=graph)
        shutil.copy(light / "1" / "saved_model.pb", folder / version)

    return copy


@pytest.fixture(scope="module")
def loads_once():
    """Commands find what an earlier one loaded; that each loads a model is test_rollback's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "choose", functools.cache(versions.choose))
        yield


@pytest.fixture(scope="session")
def answers(models):
    """The same version in this process."""
    return versions.choose(models)


class Running:
    """A server process: where it is, and what it has said."""

    def __init__(self, process, url, log):
        self.process, self.url, self._log = process, url, log
        self._http = httpx.Client(base_url=url)  # making one takes longer than asking

    def said(self):
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, condition, seconds=240):
        """Waits until something is so, while the server lives."""
        end = time.monotonic() + seconds
        while not condition():
            assert not self.ended(), self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)

    def version(self):
        try:
            return self._http.get("/readyz").json()["version"]
        except httpx.TransportError:
            return None

    def ended(self):
        """Whether it has ended, with nobody asking for it."""
        return self.process.poll() is not None

    def lives(self):
        try:
            return self._http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts `greenlight serve` over a folder, and stops it at the end.

    It is a fork, or `fresh`: begun as a user begins it.
    """

    @contextmanager
    def run(folder, *options, until="version", fresh=False, **environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path_factory.mktemp("server") / "log"
        command = [sys.executable, "-m", "pipeline.cli", "serve", "--model-dir", str(folder),
                   "--port", str(port), "--drain", "0", *options]  # fmt: skip
        begin = subprocess.Popen if fresh else Forked
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        with log.open("w") as out:
            process = begin(command, stdout=out, stderr=out, env=environment)
        server = Running(process, f"http://127.0.0.1:{port}", log)
        try:
            server.wait_for(getattr(server, until))
            yield server
        finally:
            process.terminate()
            process.wait(60)

    return run


@pytest.fixture(scope="session")
def server(start, models):
    with start(models) as running:
        yield running


@pytest.fixture(scope="session")
def client(server):
    with httpx.Client(base_url=server.url, timeout=30) as opened:
        yield opened


@pytest.fixture
def greenlight(monkeypatch, capsys):
    """Runs a command in this process; returns its status and what it wrote to both outputs."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["greenlight", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return run
