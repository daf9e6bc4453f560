"""Starting and following a run on Kubeflow Pipelines, against a local stub of its REST API."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import kfp_server_api
import pytest

from pipeline import cli
from pipeline.vertex import checked
from pipeline.vertex.kubeflow import run as kfp_run
from pipeline.vertex.kubeflow.service import Access, Kubeflow, Unavailable
from pipeline.vertex.service import connection, verdict
from schemas.errors import RunFailed, UserError
from tests.pipeline.vertex.conftest import SETTINGS
from tests.pipeline.vertex.strangers import ANSWERS, running, stranger

SECRET = "s3cr3t-t0k3n"


class KubeflowStub(ThreadingHTTPServer):
    """A local stub of what is documented of Kubeflow Pipelines' API v2beta1; no Kubeflow."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.status, self.states, self.error = [], 200, ["SUCCEEDED"], None
        self.experiments, self.away = [], 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, method, path):
        if method == "GET" and path == "runs/r1":
            state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
            run = {"run_id": "r1", **({"state": state} if state else {})}
            return run | ({"error": {"message": self.error}} if self.error else {})
        return {
            ("GET", "experiments"): {"experiments": self.experiments},
            ("POST", "experiments"): {"experiment_id": "e1", "display_name": "taste"},
            ("POST", "runs"): {"run_id": "r1"},
        }[method, path]


class _Handler(BaseHTTPRequestHandler):
    server: KubeflowStub

    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path, _, query = self.path.partition("?")
        path = path.removeprefix("/apis/v2beta1/")
        self.server.asked.append((self.command, path, body, parse_qs(query), self.headers))
        status = self.server.status if self.command == "POST" else 200
        if self.command == "GET" and path == "runs/r1" and self.server.away:
            self.server.away, status = self.server.away - 1, 503
        data = json.dumps(self.server.answer(self.command, path) if status == 200 else {}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve  # noqa: N815 (the server's names)

    def log_message(self, *arguments):
        """Says nothing."""


@pytest.fixture
def stub():
    with KubeflowStub() as server, running(server):
        yield server


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    for name, seconds in (("FIRST_PAUSE", 0.01), ("LONGEST_PAUSE", 0.02), ("PATIENCE", 0.3)):
        monkeypatch.setattr(connection, name, seconds)


def asked(stub, method):
    return [request for request in stub.asked if request[0] == method]


def test_a_run_is_started_in_its_experiment(stub, kfp_spec):
    assert kfp_run.start(Kubeflow(Access(stub.url + "/")), kfp_spec, "run-7", "taste") == "r1"
    (experiment, run) = (body for _, _, body, *_ in asked(stub, "POST"))
    assert experiment == {"display_name": "taste"}
    assert run == {
        "display_name": "run-7",
        "experiment_id": "e1",
        "pipeline_spec": kfp_spec,
        "runtime_config": {"parameters": {"run_id": "run-7"}},
    }
    # What is sent has the fields of Kubeflow's own messages.
    for body, kind in ((experiment, "V2beta1Experiment"), (run, "V2beta1Run")):
        assert set(body) <= set(getattr(kfp_server_api, kind).attribute_map.values())
    (looked,) = (query for *_, query, _ in asked(stub, "GET"))
    (predicate,) = json.loads(looked["filter"][0])["predicates"]
    assert predicate == {"operation": "EQUALS", "key": "display_name", "stringValue": "taste"}


def test_an_experiment_that_is_there_is_taken(stub, kfp_spec):
    mine = {"display_name": "taste", "experiment_id": "e9"}
    stub.experiments = [{"display_name": "tastes"}, mine]
    kfp_run.start(Kubeflow(Access(stub.url)), kfp_spec, "run-7", "taste")
    (run,) = (body for _, _, body, *_ in asked(stub, "POST"))
    assert run["experiment_id"] == "e9"


def test_token_cookie_and_namespace_are_sent_and_never_shown(stub, kfp_spec, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    access = Access(stub.url, SECRET + "\n", "session=" + SECRET, "films")
    kfp_run.start(Kubeflow(access), kfp_spec, "run-7", "taste")
    assert {headers["Authorization"] for *_, headers in stub.asked} == {f"Bearer {SECRET}"}
    assert {headers["Cookie"] for *_, headers in stub.asked} == {f"session={SECRET}"}
    (looked,) = (query for *_, query, _ in asked(stub, "GET"))
    assert looked["namespace"] == ["films"]
    assert asked(stub, "POST")[0][2] == {"display_name": "taste", "namespace": "films"}
    assert SECRET not in repr(access)


@pytest.mark.parametrize("secret", ["a\nb", "a\x00", "ключ"])
def test_a_secret_that_cannot_be_sent_is_not_shown(secret):
    with pytest.raises(UserError, match="--token holds letters that cannot be sent") as told:
        Kubeflow(Access("http://localhost", secret))
    assert secret not in str(told.value)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (400, UserError, "answers 400 .*: is the address right"),
        (401, UserError, "answers 401 .*: it wants a login or your rights do not suffice"),
        (403, UserError, "answers 403"),
        (429, RunFailed, "answers 429 .*: try again later"),
        (503, RunFailed, "answers 503"),
    ],
)
def test_a_refusal_is_one_sentence_and_nothing_is_repeated(stub, kfp_spec, status, error, said):
    stub.status = status
    with pytest.raises(error, match=said):
        kfp_run.start(Kubeflow(Access(stub.url)), kfp_spec, "run-7", "taste")
    assert len(asked(stub, "POST")) == 1


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_stranger_is_believed(answer, kfp_spec):
    with stranger(answer) as server:
        access = Kubeflow(Access(server.url, SECRET))
        for ask in (
            lambda: kfp_run.start(access, kfp_spec, "run-7", "taste"),
            lambda: kfp_run.read_state(access, "r1"),
            lambda: kfp_run.follow(access, "r1", 0.01, str),
        ):
            with pytest.raises((UserError, RunFailed)) as told:
                ask()
            sentence = str(told.value)
            assert sentence[-1] in ".?" and "\n" not in sentence and SECRET not in sentence
        assert "/login" not in {path for _, path, _ in server.asked}


@pytest.mark.parametrize("host", ["localhost:8080", "ftp://pipelines", "http://", "pipelines"])
def test_what_is_no_address_is_one_sentence(host):
    with pytest.raises(UserError, match="write it as http://NAME"):
        Kubeflow(Access(host))


def test_nobody_there_is_one_sentence():
    with pytest.raises(Unavailable, match=r"cannot be reached at http://127\.0\.0\.1:1"):
        Kubeflow(Access("http://127.0.0.1:1")).ask("GET", "experiments")


def test_a_run_is_followed_to_its_end_through_faults(stub):
    stub.states, stub.away = [None, "PENDING", "RUNNING", "RUNNING", "SUCCEEDED"], 2
    shown: list[str] = []
    kfp_run.follow(Kubeflow(Access(stub.url)), "r1", 0.01, shown.append)
    assert shown == ["runtime state unspecified", "pending", "running", "succeeded"]


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "SKIPPED"])
def test_a_run_that_did_not_succeed_fails(stub, state):
    stub.states, stub.error = ["RUNNING", state], "out of memory.\nmore"
    with pytest.raises(RunFailed, match=rf"run {state.lower()}: out of memory\. See {stub.url}"):
        kfp_run.follow(Kubeflow(Access(stub.url)), "r1", 0.01, str)


def test_a_state_that_there_is_not_is_refused(stub):
    stub.states = ["FINE"]
    with pytest.raises(RunFailed, match="a state that there is not: FINE"):
        kfp_run.read_state(Kubeflow(Access(stub.url)), "r1")


def run(monkeypatch, capfd, *words):
    """The command's exit status and all that it printed."""
    monkeypatch.setattr("sys.argv", ["greenlight", "kfp", "submit", *words])
    status: str | int = 0
    try:
        cli.main()
    except SystemExit as ended:
        status = ended.code or 0
    return status, "".join(capfd.readouterr())


@pytest.fixture
def words(stub, kfp_spec, tmp_path, monkeypatch):
    monkeypatch.setattr(checked, "checked_kfp", lambda config: kfp_spec)
    monkeypatch.setenv("GREENLIGHT_KFP_TOKEN", SECRET)
    settings = (*SETTINGS, "vertex.job.poll_seconds=0.01")
    return [
        "--host", stub.url, "--run-id", "run-7", "--output-dir", str(tmp_path),
        *(word for setting in settings for word in ("--set", setting)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("states", "blessed", "status", "said"),
    [
        (["RUNNING", "SUCCEEDED"], True, 0, "Blessed and pushed"),
        (["RUNNING", "SUCCEEDED"], False, 3, "NOT blessed"),
        (["RUNNING", "SUCCEEDED"], None, 0, "the verdict cannot be read here: no bucket"),
        (["RUNNING", "FAILED"], None, 1, "The run failed: the service does not say why"),
        (["FAILED"], None, 1, "The run failed"),
    ],
)
def test_the_command_waits_and_ends_as_the_run_did(
    stub, words, monkeypatch, capfd, states, blessed, status, said
):
    def read(root, run_id):
        assert (root, run_id) == ("gs://bucket/greenlight/", "run-7")
        if blessed is None:
            raise UserError("no bucket.")
        return blessed

    monkeypatch.setattr(verdict, "reported_verdict", read)
    stub.states = states
    found, printed = run(monkeypatch, capfd, *words, "--wait")
    assert (found, said in printed) == (status, True), printed
    assert SECRET not in printed
    assert stub.asked[0][-1]["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(("state", "status"), [("PENDING", 0), ("FAILED", 1)])
def test_without_waiting_the_run_is_seen_to_be_there(
    stub, words, monkeypatch, capfd, state, status
):
    stub.states = [state]
    found, printed = run(monkeypatch, capfd, *words)
    assert found == status
    assert ("/#/runs/details/r1" in printed) and asked(stub, "GET")[-1][1] == "runs/r1"


def test_a_login_page_starts_nothing_and_ends_with_status_2(words, monkeypatch, capfd):
    with stranger("a login page") as server:
        words[1] = server.url
        found, printed = run(monkeypatch, capfd, *words)
    assert found == 2
    (line,) = (line for line in printed.splitlines() if line.strip())
    assert "answers with a page (text/html)" in line and "--token" in line


def test_help_shows_no_secret(monkeypatch, capfd):
    monkeypatch.setenv("GREENLIGHT_KFP_TOKEN", SECRET)
    found, printed = run(monkeypatch, capfd, "--help")
    assert found == 0 and "--namespace" in printed and SECRET not in printed
