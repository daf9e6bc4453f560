"""Starting `greenlight serve` where it cannot, or cannot yet; and how it takes leave."""

import concurrent.futures
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from pipeline import cli
from schemas.errors import UserError
from serving.listening import bind
from tests.serving.conftest import ROOT


@pytest.fixture
def serve(monkeypatch, capsys):
    """Runs the command in this process, up to where it ends by a mistake."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["greenlight", "serve", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and err.startswith("greenlight: "), err
        return caught.value.code, err

    return run


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_port_in_use_is_status_2_before_anything_is_loaded(tmp_path, host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with taken:
        port = taken.getsockname()[1]
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "saved_model.pb").touch()
        code = (
            "import sys; from pipeline import cli\n"
            "try: cli.main()\n"
            "finally: print('tensorflow' in sys.modules)"
        )
        command = [sys.executable, "-c", code, "serve", "--model-dir", str(tmp_path),
                   "--host", host, "--port", str(port)]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and done.stdout == "False\n"
    assert done.stderr == (
        f"greenlight: Port {port} of {host} is in use: take another --port, or end its owner.\n"
    )


def test_an_address_that_is_not_here(serve, models):
    status, err = serve("--model-dir", models, "--host", "192.0.2.1")
    assert status == 2 and "Port 8501 of 192.0.2.1 cannot be listened at" in err


def test_a_port_is_free_again_once_its_owner_has_ended():
    first = bind("127.0.0.1", 0)[0]
    port = first.getsockname()[1]
    first.listen()
    with pytest.raises(UserError, match="is in use"):
        bind("127.0.0.1", port)
    with socket.create_connection(("127.0.0.1", port)):
        accepted, _ = first.accept()
        accepted.close()  # which leaves the connection in TIME_WAIT
    first.close()
    for opened in bind("127.0.0.1", port):
        opened.close()


def test_folders_given_wrongly_are_named(serve, models, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "serving_model").symlink_to(models)
    for folder, words in (
        (models / "1", f"give {models}"),
        ("gs://bucket/models", "gs://bucket/models is no folder of this machine"),
        (models / "1" / "saved_model.pb", "is a file"),
        (tmp_path / "out", "give "),
    ):
        for wait in ([], ["--wait"]):
            status, err = serve("--model-dir", folder, *wait)
            assert status == 2 and words in err
    status, err = serve("--model-dir", models, "--version", "7")
    assert status == 2 and "no version 7" in err and "there is only 1" in err


def test_where_only_broken_versions_are_it_ends_with_the_reasons(tmp_path, start):
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "saved_model.pb").write_bytes(b"no graph")
    with start(tmp_path, until="ended") as server:
        assert server.process.returncode == 2
        said = server.said().splitlines()[-1]
    assert said.startswith(f"greenlight: No version in {tmp_path} works: 5 (")


def test_it_waits_for_a_first_model_and_is_told_by_a_probe(start, push, tmp_path):
    folder = tmp_path / "later"
    with start(folder, "--wait", until="lives", fresh=True) as server:
        found = httpx.get(f"{server.url}/readyz")
        assert found.status_code == 503 and found.json()["version"] is None
        asked = httpx.post(f"{server.url}/recommend", json={"user": "3"})
        assert asked.status_code == 503 and asked.headers["retry-after"]
        server.wait_for(lambda: "There is no folder" in server.said())
        folder.mkdir()
        (folder / "3").mkdir()
        (folder / "3" / "saved_model.pb").write_bytes(b"no graph")
        server.wait_for(lambda: "version 3 is refused" in server.said())
        assert httpx.get(f"{server.url}/readyz").status_code == 503
        push(folder, "4")
        server.wait_for(lambda: httpx.get(f"{server.url}/readyz").status_code == 200)
        assert httpx.post(f"{server.url}/recommend", json={"user": "3"}).status_code == 200
        # With no model in service there would be nothing to drain; with one there is.
        assert server.said().count("There is no folder") == 1


def test_it_takes_leave_before_it_goes(start, light):
    with start(light, "--drain", "4") as server, httpx.Client(base_url=server.url) as client:
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: client.get("/readyz").status_code == 503)
        assert client.get("/readyz").json()["status"] == "stopping"
        alive = client.get("/healthz")
        assert (alive.status_code, alive.headers["connection"]) == (200, "close")
        asked = httpx.post(f"{server.url}/recommend", json={"user": "3"})  # a new connection
        assert asked.status_code == 200
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            ended = pool.submit(server.process.wait, 60)
            assert ended.result() in (0, -signal.SIGTERM)
        assert time.monotonic() - started >= 4
        assert "Traceback" not in server.said()


def test_a_second_signal_ends_it_at_once(start, light):
    with start(light, "--drain", "3000") as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) in (0, -signal.SIGTERM)


def test_a_model_that_is_gone_is_still_described(start, light, tmp_path):
    shutil.copytree(light / "1", tmp_path / "1")
    with start(tmp_path) as server:
        base = f"{server.url}/v1/models/greenlight"
        before = httpx.get(f"{base}/metadata").json()
        shutil.rmtree(tmp_path / "1")
        server.wait_for(lambda: "goes on" in server.said())
        assert httpx.get(f"{base}/metadata").json() == before
        assert httpx.get(base).json()["model_version_status"][0]["state"] == "AVAILABLE"
