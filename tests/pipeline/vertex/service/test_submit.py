"""Submitting and scheduling, against a local stub of Vertex AI's REST API."""

import copy
import datetime
import socket

import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import (
    MetadataServiceClient,
    PipelineServiceClient,
    ScheduleServiceClient,
)
from google.cloud.aiplatform_v1.types import PipelineJob, Schedule
from google.protobuf import json_format

from pipeline import cli
from pipeline.vertex import checked
from pipeline.vertex.job import set_job
from pipeline.vertex.service import connection, verdict
from pipeline.vertex.service.connection import connect
from pipeline.vertex.service.experiment import add_to_experiment, make_experiment
from pipeline.vertex.service.schedule import (
    When,
    check_cron,
    delete_schedule,
    full_name,
    list_schedules,
    make_schedule,
    moment,
    pause_schedule,
    resume_schedule,
)
from pipeline.vertex.service.submit import make_job, new_job_id, submit, wait
from pipeline.vertex.service.verdict import job_verdict
from pipeline.vertex_config import VertexConfig
from schemas.errors import RunFailed, UserError
from tests.pipeline.vertex.conftest import RUN_ID
from tests.pipeline.vertex.strangers import ANSWERS, stranger
from tests.pipeline.vertex.stub import LOST, VertexStub, serving

PARENT = "projects/films/locations/europe-west4"
JOBS = f"/v1/{PARENT}/pipelineJobs"
STORE = f"{PARENT}/metadataStores/default"
ACCOUNT, NETWORK = "runner@films.iam.gserviceaccount.com", "projects/12/global/networks/inner"
KEY = f"{PARENT}/keyRings/films/cryptoKeys/taste"
ATTACHMENT = "projects/films/regions/europe-west4/networkAttachments/inner"
PAGE = "https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines"


@pytest.fixture
def compiled(vertex_job):
    return vertex_job


@pytest.fixture
def stub():
    with serving(VertexStub()) as served:
        yield served


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    for name, seconds in (("FIRST_PAUSE", 0.01), ("LONGEST_PAUSE", 0.02), ("PATIENCE", 0.5)):
        monkeypatch.setattr(connection, name, seconds)


@pytest.fixture
def config(stub):
    def make(**job):
        return VertexConfig(
            project="films",
            region="europe-west4",
            job={"endpoint": stub.url, "poll_seconds": 0.01, **job},
        )

    return make


def _made(config, compiled):
    job = copy.deepcopy(compiled)
    set_job(job, config)
    return make_job(job)


def _submit(config, compiled, name="job-1"):
    client = connect(PipelineServiceClient, config)
    return client, submit(client, config, _made(config, compiled), name)


def test_a_submitted_job_is_as_documented(stub, config, compiled):
    own = {
        "service_account": ACCOUNT, "network": NETWORK, "labels": {"team": "taste"},
        "reserved_ip_ranges": ["taste"], "encryption_key": KEY, "network_attachment": ATTACHMENT,
    }  # fmt: skip
    _, page = _submit(config(**own), compiled)
    assert page == f"{PAGE}/runs/job-1?project=films"
    (request,) = stub.requests
    assert (request.method, request.path) == ("POST", JOBS)
    assert request.query["pipelineJobId"] == ["job-1"]
    body = request.body
    assert set(body) == {
        "displayName", "encryptionSpec", "labels", "network", "pipelineSpec", "pscInterfaceConfig",
        "reservedIpRanges", "runtimeConfig", "serviceAccount",
    }  # fmt: skip
    assert body["displayName"] == "greenlight"
    assert body["serviceAccount"] == ACCOUNT and body["network"] == NETWORK
    assert body["reservedIpRanges"] == ["taste"] and body["encryptionSpec"] == {"kmsKeyName": KEY}
    assert body["pscInterfaceConfig"] == {"networkAttachment": ATTACHMENT}
    assert body["labels"] == {**compiled["labels"], "team": "taste"}
    assert any(key.startswith("tfx") for key in compiled["labels"])
    assert body["pipelineSpec"] == compiled["pipelineSpec"]
    assert body["runtimeConfig"] == {
        "gcsOutputDirectory": "gs://bucket/greenlight",
        "parameterValues": {"run_id": RUN_ID},
        "failurePolicy": 2,  # PIPELINE_FAILURE_POLICY_FAIL_FAST
    }


def test_caching_and_failure_policy_are_as_set(stub, config, compiled):
    _submit(config(caching=False, failure_policy="slow"), compiled)
    body = stub.requests[0].body
    tasks = body["pipelineSpec"]["root"]["dag"]["tasks"].values()
    assert tasks and all(not task["cachingOptions"] for task in tasks)
    assert body["runtimeConfig"]["failurePolicy"] == 1  # PIPELINE_FAILURE_POLICY_FAIL_SLOW
    cached = compiled["pipelineSpec"]["root"]["dag"]["tasks"].values()
    assert any(task.get("cachingOptions", {}).get("enableCache") for task in cached)


@pytest.mark.parametrize("fault", [429, 503, 500, LOST])
def test_a_job_is_asked_for_again_under_the_same_name(stub, config, compiled, fault):
    stub.faults = {"POST pipelineJobs": [fault, fault]}
    _submit(config(), compiled)
    asked = stub.asked("POST", "pipelineJobs")
    assert len(asked) == 3  # where answers were lost, the second finds what the first one made
    assert {request.query["pipelineJobId"][0] for request in asked} == {"job-1"}
    assert len(stub.resources) == 1


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (400, UserError, "Vertex AI refuses the request: The stub says 400."),
        (401, UserError, "does not accept the credentials; log in again"),
        (403, UserError, "Not allowed on films in europe-west4; enable the Vertex AI API"),
        (404, UserError, "Not found on films in europe-west4"),
        (409, UserError, "That name is taken"),
        (429, RunFailed, "The quota of films in europe-west4 is used up"),
        (500, RunFailed, "Vertex AI failed; try again later"),
        (503, RunFailed, "Vertex AI failed; try again later"),
    ],
)
def test_a_refusal_is_one_sentence(stub, config, compiled, status, error, said, monkeypatch):
    # After a 401 Google's client fetches another token, and asks once more with that.
    monkeypatch.setattr(AnonymousCredentials, "refresh", lambda self, request: None)
    stub.faults = {"POST pipelineJobs": [status] * 999}
    with pytest.raises(error) as told:
        _submit(config(), compiled)
    sentence = str(told.value)
    assert said in sentence and f"The stub says {status}" in sentence
    assert "\n" not in sentence and "http" not in sentence
    if status != 401:
        assert (len(stub.requests) > 1) == (status in (429, 500, 503))


def test_no_network_is_one_sentence(config, compiled):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        away = config(endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(RunFailed, match="cannot be reached, is there a network"):
            _submit(away, compiled)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("what", ["submit", "wait", "schedule", "join", "pause", "delete"])
def test_no_stranger_is_believed(config, compiled, answer, what, monkeypatch):
    monkeypatch.setattr(AnonymousCredentials, "refresh", lambda self, request: None)
    with stranger(answer) as server:
        own = config(endpoint=server.url, experiment="taste")
        job = _made(own, compiled)
        jobs = connect(PipelineServiceClient, own)
        metadata = connect(MetadataServiceClient, own)
        clock = connect(ScheduleServiceClient, own)
        ask = {
            "submit": lambda: submit(jobs, own, job, "job-1"),
            "wait": lambda: wait(jobs, own, "job-1", print),
            "schedule": lambda: make_schedule(clock, own, job, When("0 4 * * *")),
            "pause": lambda: pause_schedule(clock, own, "1"),
            "delete": lambda: delete_schedule(clock, own, "1"),
            "join": lambda: make_experiment(metadata, own, STORE, "taste"),
        }[what]
        with pytest.raises((UserError, RunFailed)) as told, connection.one_sentence(own):
            ask()
    sentence = str(told.value)
    assert sentence[-1] in ".?" and "\n" not in sentence
    if ANSWERS[answer][0] in (200, 302):
        assert f"What answers at {server.url} is not Vertex AI" in sentence or "reached" in sentence


def test_nobody_logged_in_is_one_sentence(config, monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(UserError, match="gcloud auth application-default login"):
        connect(PipelineServiceClient, config(endpoint=None))
    with pytest.raises(UserError, match=r"vertex\.project"):
        connect(PipelineServiceClient, VertexConfig())


def test_waiting_shows_the_nodes_and_outlasts_faults(stub, config, compiled):
    stub.states = [*["PIPELINE_STATE_RUNNING"] * 3, "PIPELINE_STATE_SUCCEEDED"]
    stub.faults = {"GET pipelineJobs": [503, 429, LOST, 500]}
    client, _ = _submit(config(), compiled)
    shown: list[str] = []
    wait(client, config(), "job-1", shown.append)
    assert shown == ["RatingExampleGen: running", "RatingExampleGen: succeeded"]
    assert len(stub.asked("POST", "pipelineJobs")) == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("FAILED", "The job job-1 failed: RatingExampleGen ran out of memory. See https://"),
        ("CANCELLED", "The job job-1 cancelled: "),
    ],
)
def test_a_job_that_failed_fails_the_wait(stub, config, compiled, state, said):
    stub.states, stub.error = [f"PIPELINE_STATE_{state}"], "RatingExampleGen ran out of memory.\nx"
    client, _ = _submit(config(), compiled)
    with pytest.raises(RunFailed, match=said):
        wait(client, config(), "job-1", lambda text: None)


@pytest.mark.parametrize("there", [False, True])
def test_a_job_joins_its_experiment(stub, config, compiled, there):
    own = config(experiment="taste")
    stub.states = ["PIPELINE_STATE_PENDING", "PIPELINE_STATE_RUNNING"]
    if there:
        stub.resources[f"/v1/{STORE}/contexts/taste"] = {"schemaTitle": "system.Experiment"}
    client, _ = _submit(own, compiled)
    add_to_experiment(client, connect(MetadataServiceClient, own), own, "job-1")
    made, added = (r for r in stub.requests if r.method == "POST" and "metadataStores" in r.path)
    assert made.path == f"/v1/{STORE}/contexts" and made.query["contextId"] == ["taste"]
    assert made.body == {
        "displayName": "taste", "schemaTitle": "system.Experiment", "schemaVersion": "0.0.1",
    }  # fmt: skip
    assert added.path == f"/v1/{STORE}/contexts/taste:addContextChildren"
    assert added.body == {"childContexts": ["projects/p/metadataStores/default/contexts/run"]}


def test_another_context_of_that_name_is_no_experiment(stub, config, compiled):
    own = config(experiment="taste")
    stub.resources[f"/v1/{STORE}/contexts/taste"] = {"schemaTitle": "system.Pipeline"}
    client, _ = _submit(own, compiled)
    with pytest.raises(UserError, match="That name is taken"):
        add_to_experiment(client, connect(MetadataServiceClient, own), own, "job-1")


def test_a_schedule_is_as_documented(stub, config, compiled):
    own = config(service_account=ACCOUNT, network=NETWORK, labels={"team": "taste"})
    job, client = _made(own, compiled), connect(ScheduleServiceClient, own)
    start, end = moment("--start", "2126-01-31T04:00+01:00"), moment("--end", "2127-01-31")
    when = When("TZ=Europe/Berlin 0 4 * * 1-5", start, end, 9, concurrent=2, queue=True)
    name, page = make_schedule(client, own, job, when)
    assert name == f"{PARENT}/schedules/77" and page == f"{PAGE}/schedules/77?project=films"
    (request,) = stub.requests
    assert (request.method, request.path) == ("POST", f"/v1/{PARENT}/schedules")
    assert request.body == {
        "displayName": "greenlight",
        "cron": "TZ=Europe/Berlin 0 4 * * 1-5",
        "startTime": "2126-01-31T03:00:00Z",
        "endTime": "2127-01-31T00:00:00Z",
        "maxConcurrentRunCount": "2",
        "maxConcurrentActiveRunCount": "2",
        "maxRunCount": "9",
        "allowQueueing": True,
        "createPipelineJobRequest": {
            "parent": PARENT,
            "pipelineJob": json_format.MessageToDict(
                type(job).pb(job), use_integers_for_enums=True
            ),
        },
    }
    json_format.ParseDict(request.body, Schedule.pb(Schedule()))  # strictly
    inner = request.body["createPipelineJobRequest"]["pipelineJob"]
    assert inner["serviceAccount"] == ACCOUNT and inner["pipelineSpec"] == compiled["pipelineSpec"]


@pytest.mark.parametrize(("fault", "asked"), [(429, 2), (503, 1), (LOST, 1)])
def test_only_what_was_surely_refused_is_scheduled_again(stub, config, compiled, fault, asked):
    stub.faults = {"POST schedules": [fault]}
    client = connect(ScheduleServiceClient, config())
    try:
        make_schedule(client, config(), _made(config(), compiled), When("0 4 * * *"))
        assert fault == 429
    except RunFailed:
        assert fault != 429
    assert len(stub.requests) == asked


@pytest.mark.parametrize("cron", ["", "0 4 * *", "0 4 * * * *", "every day", "TZ= 0 4 * * *"])
def test_what_is_no_cron_expression_is_refused(cron):
    with pytest.raises(UserError, match="minute, hour, day, month and weekday"):
        check_cron(cron)


@pytest.mark.parametrize("cron", ["0 4 * * *", "*/5 0-6 1,15 JAN MON", "CRON_TZ=Etc/UTC 0 4 * * *"])
def test_cron_expressions_are_taken(cron):
    check_cron(cron)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2027-01-31", "2027-01-31T00:00:00+00:00"),
        ("2027-01-31T04:00Z", "2027-01-31T04:00:00+00:00"),
        ("2027-01-31 04:00+05:30", "2027-01-31T04:00:00+05:30"),
    ],
)
def test_moments(text, found):
    assert moment("--start", text) == datetime.datetime.fromisoformat(found)


def test_moments_that_cannot_be():
    with pytest.raises(UserError, match="--end 'tomorrow': write a moment as 2027"):
        moment("--end", "tomorrow")
    past, later = moment("--end", "2001-01-01"), moment("--start", "2126-01-02")
    for start, end in ((None, past), (later, moment("--end", "2126-01-01")), (later, later)):
        with pytest.raises(UserError, match="over before it begins"):
            When("0 4 * * *", start, end)


def _schedules(stub, config, *states):
    """Puts schedules there, numbered from 1, and gives the client."""
    for number, state in enumerate(states, 1):
        name = f"{PARENT}/schedules/{number}"
        stub.resources[f"/v1/{name}"] = {
            "name": name, "displayName": "greenlight", "state": state, "cron": "0 4 * * *",
        }  # fmt: skip
    return connect(ScheduleServiceClient, config)


def test_schedules_are_listed_over_pages(stub, config):
    client = _schedules(stub, config(), "ACTIVE", "PAUSED", "COMPLETED")
    found = list_schedules(client, config())
    assert [one.name[-1] for one in found] == ["1", "2", "3"]
    assert [Schedule.State(one.state).name for one in found] == ["ACTIVE", "PAUSED", "COMPLETED"]
    asked = stub.asked("GET", "schedules")
    assert [request.query.get("pageToken") for request in asked] == [None, ["1"], ["2"]]
    assert asked[0].query["filter"] == ['display_name="greenlight"']


def test_a_schedule_is_paused_resumed_and_deleted(stub, config):
    client = _schedules(stub, config(), "ACTIVE")
    stub.faults = {"POST schedules": [503], "GET schedules": [429]}
    assert pause_schedule(client, config(), "1").state == Schedule.State.PAUSED
    resumed = resume_schedule(client, config(), f"{PARENT}/schedules/1", catch_up=True)
    assert resumed.state == Schedule.State.ACTIVE
    assert stub.asked("POST", "schedules")[-1].body == {"catchUp": True}
    delete_schedule(client, config(), "1")
    assert stub.resources == {}
    with pytest.raises(UserError, match="Not found on films in europe-west4"):
        pause_schedule(client, config(), "1")


def test_a_schedule_that_stays_as_it_was_is_told(stub, config):
    client = _schedules(stub, config(), "COMPLETED")
    stub.frozen = True
    with pytest.raises(RunFailed, match="is completed all the same"):
        pause_schedule(client, config(), "1")


@pytest.mark.parametrize("given", ["x", "", "projects/other/locations/europe-west4/schedules/1"])
def test_what_is_no_schedule_s_name_is_refused(config, given):
    with pytest.raises(UserError, match="greenlight vertex schedule list"):
        full_name(config(), given)


@pytest.mark.parametrize(("blessed", "verdict"), [(1, True), (0, False), (None, None)])
def test_the_verdict_is_what_the_job_s_blessing_says(stub, config, compiled, blessed, verdict):
    stub.blessed = blessed
    client, _ = _submit(config(), compiled)
    assert job_verdict(wait(client, config(), "job-1", print)) is verdict
    assert job_verdict(PipelineJob()) is None


def test_names_of_jobs():
    assert new_job_id(VertexConfig(), None).startswith("greenlight-20")
    assert new_job_id(VertexConfig(), "my-run-7") == "my-run-7"
    with pytest.raises(UserError, match="small letters, digits and -"):
        new_job_id(VertexConfig(), "My_Run")


@pytest.fixture
def command(stub, compiled, monkeypatch, tmp_path, capfd):
    """Runs `greenlight vertex ...` against the stub: its exit status, and all that it printed."""
    monkeypatch.setattr(checked, "checked_job", lambda config, run_id: compiled)
    path = tmp_path / "cloud.yaml"
    job = {"endpoint": stub.url, "poll_seconds": 0.01}
    place = {"project": "films", "region": "europe-west4", "pipeline_root": "gs://films/root"}
    settings = {"output_dir": f"{tmp_path}/out", "vertex": {**place, "job": job}}
    path.write_text(yaml.safe_dump(settings))

    def run(*words):
        monkeypatch.setattr("sys.argv", ["greenlight", "vertex", *words, "--config", str(path)])
        status: str | int = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        return status, "".join(capfd.readouterr())

    return run


@pytest.mark.parametrize(
    ("state", "blessed", "reported", "status", "said"),
    [
        ("SUCCEEDED", 1, None, 0, "Blessed and pushed: greenlight report gs://films/root"),
        ("SUCCEEDED", 0, None, 3, "NOT blessed: greenlight report gs://films/root"),
        ("SUCCEEDED", None, True, 0, "Blessed and pushed"),
        ("SUCCEEDED", None, False, 3, "NOT blessed"),
        ("SUCCEEDED", None, None, 1, "gs://films/root cannot be reached"),
        ("FAILED", None, None, 1, "The job job-1 failed"),
    ],
)
def test_submit_and_wait_ends_with_the_verdict(
    stub, command, monkeypatch, state, blessed, reported, status, said
):
    def read(root, run_id):
        assert (root, run_id) == ("gs://films/root", "job-1")
        if reported is None:
            raise RunFailed(f"{root} cannot be reached: try again later.")
        return reported

    monkeypatch.setattr(verdict, "reported_verdict", read)
    stub.states, stub.blessed = ["PIPELINE_STATE_RUNNING", f"PIPELINE_STATE_{state}"], blessed
    found, printed = command("submit", "--wait", "--job-id", "job-1")
    assert (found, said in printed) == (status, True), printed


def test_schedules_from_the_command_line(stub, command):
    status, printed = command("schedule", "--cron", "0 4 * * *", "--max-runs", "3", "--queue")
    assert status == 0 and f"{PARENT}/schedules/77: {PAGE}/schedules/77" in printed
    (request,) = stub.asked("POST", "schedules")
    assert request.body["maxRunCount"] == "3" and request.body["allowQueueing"] is True
    stub.resources[f"/v1/{PARENT}/schedules/77"] |= {
        "state": "ACTIVE", "nextRunTime": "2126-01-01T04:00:00Z", "startedRunCount": "2",
    }  # fmt: skip
    line = "77: active, 0 4 * * *, next at 2126-01-01 04:00 UTC, 2 runs so far"
    assert command("schedule", "list") == (0, f"{line}\n")
    assert command("schedule", "pause", "77") == (0, "77: paused, 0 4 * * *, 2 runs so far\n")
    assert command("schedule", "resume", "77") == (0, f"{line}\n")
    assert command("schedule", "delete", "77") == (0, "77: deleted\n")
    assert command("schedule", "list") == (0, "greenlight has no schedule.\n")


def test_mistakes_of_schedules_are_one_sentence(command):
    for words, said in (
        (["schedule"], "Say when: --cron"),
        (["schedule", "--cron", "x", "list"], "--cron belongs behind list"),
        (["schedule", "--source", "own.yaml", "list"], "--source belongs behind list"),
        (["schedule", "--cron", "0 4 * * *", "--end", "2001-01-01"], "over before it begins"),
        (["schedule", "pause", "seven"], "seven is no schedule of films in europe-west4"),
    ):
        status, printed = command(*words)
        assert status == 2 and printed.count("\n") == 1 and said in printed, printed
