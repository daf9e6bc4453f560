"""The dry run's environment holds the lock and the built package, and nothing else."""

import json
import subprocess
from pathlib import Path

import pytest

from pipeline.vertex.dry_run.environment import Environment
from pipeline.vertex.dry_run.run import CommandRunner
from pipeline.vertex.lock import CHECKOUT, locked, locked_files
from schemas.errors import RunFailed, UserError
from schemas.stack import installed

LOOK = """
import importlib.metadata, json, pipeline, data
names = [one.metadata["Name"] for one in importlib.metadata.distributions()]
print(json.dumps({"names": names, "pipeline": pipeline.__file__, "data": data.__file__}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("clean") / "environment")


def plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def test_it_holds_the_lock_and_the_package_alone(environment: Environment, tmp_path: Path) -> None:
    run = subprocess.run(
        environment.command(["python", "-c", LOOK]),
        env=environment.variables(), cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(run.stdout)
    pins = locked(CHECKOUT / installed().lock)
    assert sorted(map(plain, found["names"])) == sorted(["greenlight", *(p.name for p in pins)])
    for name in ("pipeline", "data"):
        assert not Path(found[name]).is_relative_to(CHECKOUT)


def test_another_version_than_the_lock_says_is_refused(tmp_path: Path) -> None:
    for line in ("rich==0.1", "no-such-package==1.0"):
        (tmp_path / "requirements.lock").write_text(f"# a lock\n{line}\n", encoding="utf-8")
        with pytest.raises(UserError, match="is not installed as"):
            list(locked_files(tmp_path / "requirements.lock"))


def test_a_step_that_fails_stops_with_its_last_line_and_its_log(
    environment: Environment, tmp_path: Path
) -> None:
    run = CommandRunner(environment, tmp_path / "logs")
    run("Fine", ["python", "-c", "import os; print(os.environ['TF_USE_LEGACY_KERAS'])"])
    assert (tmp_path / "logs" / "Fine.log").read_text(encoding="utf-8") == "1\n"
    with pytest.raises(RunFailed, match=r"Broken failed: ValueError: no data\. .*Broken\.log"):
        run("Broken", ["python", "-c", "raise ValueError('no data')"])


MEETING = """
import json, os, socket, sys
told = json.loads(os.environ["TF_CONFIG"])
print(json.dumps(told), flush=True)
host, port = told["cluster"]["chief"][0].split(":")
if told["task"]["type"] == "chief":
    with socket.create_server((host, int(port))) as meeting:
        [meeting.accept() for _ in told["cluster"]["worker"]]
    sys.exit(int(sys.argv[1]))
while True:
    try:
        came = socket.create_connection((host, int(port)))
        break
    except ConnectionRefusedError:
        pass  # the chief is on its way
came.recv(1)  # which is never sent: it is ended
"""


def test_the_processes_of_a_step_know_of_one_another(
    environment: Environment, tmp_path: Path
) -> None:
    run = CommandRunner(environment, tmp_path / "logs")
    run("Train", ["python", "-c", MEETING, "0"], 3)
    told = [
        json.loads((tmp_path / "logs" / f"Train{place}.log").read_text(encoding="utf-8"))
        for place in ("", "-1", "-2")
    ]
    assert [one["task"] for one in told] == [
        {"type": "chief", "index": 0}, {"type": "worker", "index": 0},
        {"type": "worker", "index": 1},
    ]  # fmt: skip
    assert told[0]["cluster"] == told[1]["cluster"] == told[2]["cluster"]
    addresses = [*told[0]["cluster"]["chief"], *told[0]["cluster"]["worker"]]
    assert len(set(addresses)) == 3
    with pytest.raises(RunFailed, match=r"Train failed: .*Train\.log"):
        run("Train", ["python", "-c", MEETING, "3"], 2)
