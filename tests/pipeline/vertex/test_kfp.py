"""Starting a run on Kubeflow Pipelines, against a local stub of its REST API."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from pipeline.vertex.kfp import submit
from schemas.errors import RunFailed, UserError


class KubeflowStub(ThreadingHTTPServer):
    """A local stub of what is documented of Kubeflow Pipelines' API v2beta1; no Kubeflow."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.status = [], 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.partition("?")[0].removeprefix("/apis/v2beta1/")
        self.server.asked.append((self.command, path, body))
        answers = {
            ("GET", "healthz"): {"multi_user": False},
            ("GET", "experiments"): {"experiments": []},
            ("POST", "experiments"): {"experiment_id": "e1", "display_name": "taste"},
            ("POST", "runs"): {"run_id": "r1"},
        }
        status = self.server.status if self.command == "POST" else 200
        data = json.dumps(answers[self.command, path] if status == 200 else {}).encode()
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
    with KubeflowStub() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def package(kfp_spec, tmp_path):
    path = tmp_path / "kubeflow.yaml"
    path.write_text(yaml.safe_dump(kfp_spec))
    return path


def test_a_run_is_started_in_its_experiment(stub, package, kfp_spec):
    assert submit(package, stub.url, "run-7", "taste") == f"{stub.url}/#/runs/details/r1"
    (experiment, run) = (body for method, _, body in stub.asked if method == "POST")
    assert experiment["display_name"] == "taste"
    assert run["experiment_id"] == "e1" and run["display_name"] == "run-7"
    assert run["runtime_config"]["parameters"] == {"run_id": "run-7"}
    sent = run["pipeline_spec"]
    assert sent.get("pipeline_spec", sent)["root"] == kfp_spec["root"]


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, UserError, "answers 401 .*: are the address and your rights in order"),
        (403, UserError, "answers 403"),
        (429, RunFailed, "answers 429 .*: try again later"),
        (503, RunFailed, "answers 503"),
    ],
)
def test_a_refusal_is_one_sentence_and_nothing_is_repeated(stub, package, status, error, said):
    stub.status = status
    with pytest.raises(error, match=said):
        submit(package, stub.url, "run-7", "taste")
    assert len([method for method, *_ in stub.asked if method == "POST"]) == 1
