"""Reports fetched from a pipeline root: a folder, and a local stub of Cloud Storage's JSON API."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pipeline import remote
from pipeline.commands.report import report
from pipeline.vertex.service.verdict import reported_verdict
from schemas.errors import RunFailed, UserError
from tests.pipeline.test_publish import FACTS, FILES, _content
from tests.pipeline.vertex.strangers import ANSWERS, running, stranger

OLD, NEW = "20260101-000000", "20260102-000000"


@pytest.fixture
def root(tmp_path):
    """A pipeline root as Vertex AI fills it: project number, job, node and task, output."""
    for time, run_id in enumerate((OLD, NEW), 1):
        folder = tmp_path / f"root/1234/job-{run_id}/BlessingReport_-77{time}/report"
        folder.mkdir(parents=True)
        (folder / "blessing.json").write_text(json.dumps(_content(run_id=run_id)))
        (folder / "facts.json").write_text(json.dumps(FACTS))
    return tmp_path / "root"


class Storage(ThreadingHTTPServer):
    """A local stub of Cloud Storage: one bucket, `films`, whose objects are a folder's files."""

    def __init__(self, folder, status):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.status = folder, status


class _Handler(BaseHTTPRequestHandler):
    server: Storage

    def do_GET(self):
        url = urlsplit(self.path)
        if self.server.status:
            self._send(self.server.status, json.dumps({"error": {"message": "no"}}).encode())
        elif url.path.startswith("/download/storage/v1/b/films/o/"):
            self._send(200, (self.server.folder / unquote(url.path.split("/o/")[1])).read_bytes())
        else:
            assert url.path == "/storage/v1/b/films/o"
            query = parse_qs(url.query)
            assert query["matchGlob"] == ["**/blessing.json"]
            self._send(200, json.dumps({"items": self._items(query["prefix"][0])}).encode())

    def _items(self, prefix):
        names = (p.relative_to(self.server.folder) for p in self.server.folder.rglob("blessing.*"))
        return [
            # The later name is the later run.
            {"name": str(name), "updated": f"2026-01-0{1 + (NEW in str(name))}T00:00:00Z"}
            for name in names
            if str(name).startswith(prefix)
        ]

    def _send(self, status, data):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        """Says nothing."""


@pytest.fixture
def bucket(root, monkeypatch):
    """Serves the folder above the root as a bucket; the client finds it as it finds emulators."""
    with Storage(root.parent, 0) as server, running(server):
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        yield server


def test_the_newest_report_of_a_bucket_is_fetched(bucket, tmp_path, capfd):
    report("gs://films/root/", str(tmp_path / "out"))
    page = tmp_path / "out/reports" / NEW / "index.html"
    assert capfd.readouterr().out.strip() == str(page)
    assert sorted(path.name for path in page.parent.iterdir()) == FILES
    assert json.loads((page.parent / "blessing.json").read_text()) == _content(run_id=NEW)
    assert (tmp_path / "out/reports/latest").resolve() == page.parent
    assert [path.name for path in page.parents[1].iterdir() if path.name == OLD] == []


def test_one_job_of_a_bucket_is_fetched(bucket, tmp_path):
    report(f"gs://films/root/1234/job-{OLD}", str(tmp_path / "out"))
    assert (tmp_path / "out/reports" / OLD / "index.html").exists()
    assert not (tmp_path / "out/reports" / NEW).exists()


def test_a_history_is_over_all_runs_of_a_folder(root, tmp_path, capfd):
    for _ in range(2):  # what is there already is written anew
        report(str(root), str(tmp_path / "out"), history=True)
    page = Path(capfd.readouterr().out.split()[-1])
    text = page.read_text()
    assert "2 runs, 2 blessed" in text
    assert all(f'href="{run_id}/index.html"' in text for run_id in (OLD, NEW))


def test_what_is_not_there_is_one_sentence(bucket, tmp_path):
    for nothing in ("gs://films/elsewhere", str(tmp_path / "none")):
        with pytest.raises(UserError, match="holds no finished report"):
            remote.find_reports(nothing)
    with pytest.raises(UserError, match="gs:// and from folders only"):
        remote.find_reports("s3://films/root")


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (403, UserError, "is the name right, and have you the role"),
        (404, UserError, "is the name right, and have you the role"),
        (503, RunFailed, "cannot be reached: try again later"),
    ],
)
def test_a_refusal_is_one_sentence(bucket, monkeypatch, status, error, said):
    bucket.status = status
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    with pytest.raises(error, match=said):
        remote.find_reports("gs://films/root")


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_stranger_is_believed(answer, monkeypatch):
    """An empty listing is an answer; a file's bytes are judged by whoever reads them."""
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    with stranger(answer) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        with pytest.raises((UserError, RunFailed)) as told:
            remote.find_reports("gs://films/root")
    sentence = str(told.value)
    assert sentence[-1] in ".?" and "\n" not in sentence
    if answer in ("a login page", "a way to a login page", "half an object", "a list"):
        assert "not Cloud Storage" in sentence


@pytest.mark.parametrize("content", [b"<!doctype html>", b"[]", b"", b"\xff", b'{"run_id": "a'])
def test_a_report_that_is_none_is_refused(tmp_path, content):
    with pytest.raises(UserError, match=r"blessing\.json of the report is broken"):
        remote.fetch(remote.StoredReport(0.0, lambda name: content), tmp_path / "reports")
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_may_not_be_read_is_one_sentence(bucket, tmp_path):
    (found, _) = remote.find_reports("gs://films/root")
    bucket.status = 403
    with pytest.raises(UserError, match="is the name right, and have you the role"):
        remote.fetch(found, tmp_path / "reports")


def test_a_run_s_verdict_is_read_from_its_report(bucket, root):
    folder = next(root.glob(f"1234/job-{OLD}/*/report"))
    (folder / "blessing.json").write_text(json.dumps(_content(run_id=OLD, blessed=False)))
    assert reported_verdict("gs://films/root", OLD) is False
    assert reported_verdict("gs://films/root", NEW) is True
    with pytest.raises(RunFailed, match="holds no report of the run 2027"):
        reported_verdict("gs://films/root", "2027")


@pytest.mark.parametrize("run_id", ["../../etc", "a/b", ".hidden"])
def test_a_report_does_not_choose_its_folder(tmp_path, run_id):
    content = {"blessing.json": _content(run_id=run_id), "facts.json": FACTS}
    found = remote.StoredReport(0.0, lambda name: json.dumps(content[name]).encode())
    with pytest.raises(UserError, match="run id"):
        remote.fetch(found, tmp_path / "reports")
    assert list(tmp_path.iterdir()) == []


def test_a_report_of_another_version_is_refused(tmp_path):
    content = {"blessing.json": {"run_id": "a"}, "facts.json": FACTS}
    found = remote.StoredReport(0.0, lambda name: json.dumps(content[name]).encode())
    with pytest.raises(UserError, match="Another version wrote this report"):
        remote.fetch(found, tmp_path / "reports")
