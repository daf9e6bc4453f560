"""A local stub of the parts of Vertex AI's REST API that are documented and used; no Vertex AI."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.pipeline.vertex.strangers import running

REASONS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    409: "ALREADY_EXISTS", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip
LOST = 0  # in place of a status: it is done, but no answer comes


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any


@dataclass
class VertexStub:
    """What the stub was asked, and what it answers.

    faults: by `METHOD collection`, such as `POST pipelineJobs`, statuses to answer with first.
    states: what a job's states are, from one GET to the next; the last one stays.
    """

    requests: list[Request] = field(default_factory=list)
    faults: dict[str, list[int]] = field(default_factory=dict)
    states: list[str] = field(default_factory=lambda: ["PIPELINE_STATE_SUCCEEDED"])
    error: str = ""
    blessed: int | None = None
    frozen: bool = False  # a schedule stays in its state whatever is asked
    url: str = ""
    resources: dict[str, Any] = field(default_factory=dict)

    def asked(self, method: str, collection: str) -> list[Request]:
        """The requests of one kind, in their order."""
        return [r for r in self.requests if r.method == method and kind(r.path) == collection]

    def answer(self, request: Request) -> tuple[int, Any]:
        """Status and body; keeps what is created."""
        if request.method == "POST" and ":" not in request.path.rpartition("/")[2]:
            return self._create(request)
        if request.path.endswith(":addContextChildren"):
            return 200, {}
        if kind(request.path) == "schedules":
            return self._scheduled(request)
        if kind(request.path) == "pipelineJobs" and request.path in self.resources:
            state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
            self.resources[request.path] |= {"state": state} | self._details(state)
        found = self.resources.get(request.path)
        return (200, found) if found else (404, None)

    def _create(self, request: Request) -> tuple[int, Any]:
        (given,) = next((request.query[k] for k in request.query if k.endswith("Id")), ["77"])
        name = f"{request.path}/{given}"
        if name in self.resources:
            return 409, None
        self.resources[name] = {**request.body, "name": name.removeprefix("/v1/")}
        return 200, self.resources[name]

    def _scheduled(self, request: Request) -> tuple[int, Any]:
        """Lists one at a time; pauses, resumes and deletes, which is an operation at its end."""
        path, _, verb = request.path.partition(":")
        if path.endswith("/schedules"):
            names = [name for name in self.resources if "/schedules/" in name]
            place = int(request.query.get("pageToken", ["0"])[0])
            more = {"nextPageToken": str(place + 1)} if names[place + 1 :] else {}
            return 200, {"schedules": [self.resources[one] for one in names[place:][:1]], **more}
        if path not in self.resources:
            return 404, None
        if request.method == "DELETE":
            name = f"{path.removeprefix('/v1/')}/operations/5"
            empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
            del self.resources[path]
            return 200, {"name": name, "done": True, "response": empty}
        if verb and not self.frozen:
            self.resources[path]["state"] = {"pause": "PAUSED", "resume": "ACTIVE"}[verb]
        return 200, {} if verb else self.resources[path]

    def _details(self, state: str) -> dict[str, Any]:
        task = {"taskName": "RatingExampleGen", "state": "RUNNING"}
        if state != "PIPELINE_STATE_RUNNING":
            task["state"] = "SUCCEEDED" if state.endswith("SUCCEEDED") else "FAILED"
        details: dict[str, Any] = {"taskDetails": [task]}
        if self.blessed is not None:
            outputs = {"blessing": {"artifacts": [{"metadata": {"blessed": self.blessed}}]}}
            details["taskDetails"].append(
                {"taskName": "Evaluator", "state": "SUCCEEDED", "outputs": outputs}
            )
        if state != "PIPELINE_STATE_PENDING":
            run = "projects/p/metadataStores/default/contexts/run"
            details["pipelineRunContext"] = {"name": run}
        return {"jobDetail": details} | ({"error": {"message": self.error}} if self.error else {})


def kind(path: str) -> str:
    """The collection that a path is of: `pipelineJobs`, `schedules`, `contexts`."""
    parts = path.removeprefix("/v1/").partition(":")[0].split("/")
    return parts[-1] if len(parts) % 2 else parts[-2]


def _handler(stub: VertexStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            request = Request(self.command, url.path, parse_qs(url.query), body)
            stub.requests.append(request)
            faults = stub.faults.get(f"{self.command} {kind(url.path)}", [])
            status = faults.pop(0) if faults else None
            if status == LOST:
                stub.answer(request)
                self.close_connection = True
                return
            answer = (status, None) if status else stub.answer(request)
            self._send(*answer)

        def _send(self, status: int, content: Any) -> None:
            if status >= 400:
                reason = REASONS[status]
                said = f"The stub says {status}"
                content = {"error": {"code": status, "message": said, "status": reason}}
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 (the server's names)

        def log_message(self, *arguments: Any) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def serving(stub: VertexStub) -> Iterator[VertexStub]:
    """Lets the stub answer on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub)) as server:
        stub.url = f"http://127.0.0.1:{server.server_address[1]}"
        with running(server):
            yield stub
