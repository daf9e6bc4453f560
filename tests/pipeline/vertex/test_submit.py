"""Submitting and scheduling, against a local stub of Vertex AI's REST API."""

import socket

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import (
    MetadataServiceClient,
    PipelineServiceClient,
    ScheduleServiceClient,
)
from google.protobuf import json_format

from pipeline.vertex import service
from pipeline.vertex.config import VertexConfig
from pipeline.vertex.experiment import add_to_experiment
from pipeline.vertex.schedule import check_cron, schedule
from pipeline.vertex.service import connect
from pipeline.vertex.submit import make_job, new_job_id, submit, wait
from schemas.errors import RunFailed, UserError
from tests.pipeline.vertex.conftest import RUN_ID
from tests.pipeline.vertex.stub import LOST, VertexStub, serving

PARENT = "projects/films/locations/europe-west4"
JOBS = f"/v1/{PARENT}/pipelineJobs"
STORE = f"{PARENT}/metadataStores/default"
ACCOUNT, NETWORK = "runner@films.iam.gserviceaccount.com", "projects/12/global/networks/inner"
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
        monkeypatch.setattr(service, name, seconds)


@pytest.fixture
def config(stub):
    def make(**job):
        return VertexConfig(
            project="films",
            region="europe-west4",
            job={"endpoint": stub.url, "poll_seconds": 0.01, **job},
        )

    return make


def _submit(config, compiled, name="job-1"):
    client = connect(PipelineServiceClient, config)
    return client, submit(client, config, make_job(config, compiled), name)


def test_a_submitted_job_is_as_documented(stub, config, compiled):
    own = {"service_account": ACCOUNT, "network": NETWORK, "labels": {"team": "taste"}}
    _, page = _submit(config(**own), compiled)
    assert page == f"{PAGE}/runs/job-1?project=films"
    (request,) = stub.requests
    assert (request.method, request.path) == ("POST", JOBS)
    assert request.query["pipelineJobId"] == ["job-1"]
    body = request.body
    assert set(body) == {
        "displayName", "labels", "network", "pipelineSpec", "runtimeConfig", "serviceAccount",
    }  # fmt: skip
    assert body["displayName"] == "greenlight"
    assert body["serviceAccount"] == ACCOUNT and body["network"] == NETWORK
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
    job, client = make_job(own, compiled), connect(ScheduleServiceClient, own)
    name, page = schedule(client, own, job, "TZ=Europe/Berlin 0 4 * * 1-5", 9)
    assert name == f"{PARENT}/schedules/77" and page == f"{PAGE}/schedules/77?project=films"
    (request,) = stub.requests
    assert (request.method, request.path) == ("POST", f"/v1/{PARENT}/schedules")
    assert request.body == {
        "displayName": "greenlight",
        "cron": "TZ=Europe/Berlin 0 4 * * 1-5",
        "maxConcurrentRunCount": "1",
        "maxRunCount": "9",
        "createPipelineJobRequest": {
            "parent": PARENT,
            "pipelineJob": json_format.MessageToDict(
                type(job).pb(job), use_integers_for_enums=True
            ),
        },
    }
    inner = request.body["createPipelineJobRequest"]["pipelineJob"]
    assert inner["serviceAccount"] == ACCOUNT and inner["pipelineSpec"] == compiled["pipelineSpec"]


@pytest.mark.parametrize(("fault", "asked"), [(429, 2), (503, 1), (LOST, 1)])
def test_only_what_was_surely_refused_is_scheduled_again(stub, config, compiled, fault, asked):
    stub.faults = {"POST schedules": [fault]}
    client = connect(ScheduleServiceClient, config())
    try:
        schedule(client, config(), make_job(config(), compiled), "0 4 * * *", None)
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


def test_names_of_jobs():
    assert new_job_id(VertexConfig(), None).startswith("greenlight-20")
    assert new_job_id(VertexConfig(), "my-run-7") == "my-run-7"
    with pytest.raises(UserError, match="small letters, digits and -"):
        new_job_id(VertexConfig(), "My_Run")
