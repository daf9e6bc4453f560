"""An engine is tried by a real job; what is wrong with it is told in one sentence."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apache_beam as beam
import grpc
import pytest
from apache_beam.runners.portability import local_job_service

from pipeline.engine import check, probe
from pipeline.engine.check import check_endpoint, check_engine, check_results, failure
from pipeline.engine_config import EngineConfig
from schemas.errors import UserError
from tests import engines
from tests.pipeline import command

DEAD = "localhost:1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A job server that comes with Beam, and runs jobs in processes of their own."""
    own = local_job_service.LocalJobServicer(str(tmp_path_factory.mktemp("staging")))
    yield f"localhost:{own.start_grpc_server()}"
    own.stop()


@pytest.fixture
def beam_args(engine: str, request: pytest.FixtureRequest) -> list[str]:
    if engine != "served":
        return engines.beam_args_of(engine)
    endpoint = request.getfixturevalue("server")
    return EngineConfig(kind="prism", endpoint=endpoint).beam_args()


@pytest.fixture
def data(tmp_path: Path) -> str:
    (tmp_path / "data" / "inside").mkdir(parents=True)
    (tmp_path / "data" / "ratings.csv").write_text("1,2,3\n")
    return str(tmp_path / "data")


@pytest.mark.parametrize("engine", ["served", *engines.NAMES])
def test_a_sound_engine_passes_and_nothing_is_left(
    beam_args: list[str], data: str, tmp_path: Path
) -> None:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    check_engine(beam_args, folder, data)
    assert list(folder.iterdir()) == []


FAULTS = {
    "code": "has other code of greenlight than this machine: install the same there.",
    "version": "has tfx 1.16.0, and this machine 1.17.0: give workers the same locked packages",
    "file": "ratings.csv as this machine does: output and data directories must be on a share",
}


# A thread of Beam's for the workers in this process outlives the job that failed.
@pytest.mark.filterwarnings("ignore:Exception in thread read_grpc_client_inputs")
@pytest.mark.parametrize(
    ("engine", "fault"),
    [("served", "version"), ("prism", "version"), ("prism", "code"), ("served", "file")],
)
def test_a_worker_unlike_this_process_is_told_by_its_fault(
    fault: str, beam_args: list[str], data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process says that it has what the workers, which are as they are, do not have."""
    if fault == "code":
        monkeypatch.setattr(check, "code_digest", lambda: "of other code")
    elif fault == "version":
        monkeypatch.setattr(check, "versions", lambda: {**probe.versions(), "tfx": "1.17.0"})
    else:
        path = Path(data) / "ratings.csv"
        monkeypatch.setattr(check, "build", _emptied(path))
    with pytest.raises(UserError) as caught:
        check_engine(beam_args, tmp_path, data)
    message = str(caught.value)
    assert message.startswith("A worker on ") and FAULTS[fault] in message
    assert "\n" not in message and message.endswith(".") and len(message) < 400


def _emptied(path: Path) -> Callable[[beam.Pipeline, probe.Wanted], None]:
    """The job's graph, after which the file is not as it was when it was looked at."""

    def build(pipeline: beam.Pipeline, wanted: probe.Wanted) -> None:
        path.write_text("")
        probe.build(pipeline, wanted)

    return build


def test_an_engine_that_does_not_answer_is_told_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the command line tells it: one sentence, status 2."""
    monkeypatch.setattr(check, "ANSWER_SECONDS", 1.0)
    begun = time.monotonic()
    setting = f"engine={{kind: flink, endpoint: '{DEAD}'}}"
    words = ("run", "--output-dir", str(tmp_path / "out"), "--set", setting)
    status, said = command.greenlight(*words)
    assert status == 2 and time.monotonic() - begun < 60
    assert f"greenlight: No engine answers at {DEAD}: start its job server" in said
    assert "Traceback" not in said
    assert not list((tmp_path / "out" / "artifacts").glob("*/*/*"))


def test_what_is_no_job_server_is_told() -> None:
    other = grpc.server(ThreadPoolExecutor(1))
    port = other.add_insecure_port("localhost:0")
    other.start()
    try:
        with pytest.raises(UserError, match="is no job server of Beam"):
            check_endpoint(f"localhost:{port}")
    finally:
        other.stop(None)


def test_workers_that_do_not_start_are_told(
    server: str, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "JOB_SECONDS", 8.0)
    engine = EngineConfig(kind="prism", endpoint=server, workers="/nowhere/boot")
    with pytest.raises(UserError) as caught:
        check_engine(engine.beam_args(), tmp_path, data)
    message = str(caught.value)
    assert "small job" in message and "\n" not in message and "Traceback" not in message


def test_what_the_engine_wrote_must_be_there_and_right(tmp_path: Path) -> None:
    for name, content in probe.results().items():
        (tmp_path / name).write_text(json.dumps(content))
    check_results(str(tmp_path))
    assert sum(content["count"] for content in probe.results().values()) == probe.NUMBERS
    wrong = {**probe.results()["odd-3.json"], "sum": 7}
    (tmp_path / "odd-3.json").write_text(json.dumps(wrong))
    with pytest.raises(UserError, match="counts wrong"):
        check_results(str(tmp_path))
    (tmp_path / "odd-3.json").unlink()
    with pytest.raises(UserError, match=r"is not in .* on one share"):
        check_results(str(tmp_path))


def test_a_worker_that_may_not_write_says_so(tmp_path: Path) -> None:
    wanted = probe.Wanted(str(tmp_path / "nowhere"), {}, {}, "")
    with pytest.raises(probe.WorkerFault, match=r"cannot write to .*nowhere: No such file"):
        probe._write((1, [1]), "odd", wanted, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("X\n  at Y\nModuleNotFoundError: No module named 'pipeline' [while", "lack a module (No"),
        ("Insufficient number of network buffers", "(Insufficient number of network buffers): its"),
        ("", "(it says nothing)"),
        (
            r"... probe.WorkerFault: A worker on a has b. [while running 'Look']\n",
            "A worker on",
        ),
    ],
)
def test_a_failed_job_is_one_sentence(text: str, told: str) -> None:
    message = failure(text)
    assert told in message and "\n" not in message and message.endswith(".")
    assert "while running" not in message
