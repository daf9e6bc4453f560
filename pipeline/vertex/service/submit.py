"""Submits a compiled job to Vertex AI, and follows it to its end."""

import datetime
import re
import threading
from collections.abc import Callable

from google.api_core import exceptions
from google.cloud.aiplatform_v1 import PipelineServiceClient
from google.cloud.aiplatform_v1.types import PipelineJob, PipelineState, PipelineTaskDetail
from google.protobuf import json_format

from pipeline.vertex.service.connection import TIMEOUT, ask, check_name, parent_of
from pipeline.vertex.steps import Spec
from pipeline.vertex_config import VertexConfig
from schemas.errors import RunFailed, UserError

Show = Callable[[str], None]

ENDED = (
    PipelineState.PIPELINE_STATE_SUCCEEDED,
    PipelineState.PIPELINE_STATE_FAILED,
    PipelineState.PIPELINE_STATE_CANCELLED,
)
_JOB_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")


def new_job_id(config: VertexConfig, chosen: str | None) -> str:
    """The name of the next job: the chosen one, or the pipeline's with the time.

    Raises:
      UserError: the service takes no such name.
    """
    now = datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
    name = chosen or f"{config.pipeline_name}-{now}"
    if not _JOB_ID.fullmatch(name):
        raise UserError(f"--job-id {name}: take small letters, digits and -, at most 128 of them.")
    return name


def make_job(spec: Spec) -> PipelineJob:
    """The service's form of a compiled job.

    Raises:
      google.protobuf.json_format.ParseError: a field that the service has not.
    """
    return PipelineJob.wrap(json_format.ParseDict(spec, PipelineJob.pb(PipelineJob())))


def submit(
    client: PipelineServiceClient, config: VertexConfig, job: PipelineJob, job_id: str
) -> str:
    """Starts a job; returns the address of its page.

    The job's name is chosen here, so asking twice cannot start two: where a repeated request finds
    the name taken, the first one went through.

    Raises:
      UserError, RunFailed: see `ask`.
    """
    attempts = 0

    def create() -> None:
        nonlocal attempts
        attempts += 1
        try:
            made = client.create_pipeline_job(
                parent=parent_of(config), pipeline_job=job, pipeline_job_id=job_id, timeout=TIMEOUT
            )
            check_name(config, made.name, f"pipelineJobs/{job_id}")
        except exceptions.Conflict:
            if attempts == 1:
                raise

    ask(config, create)
    return page_of(config, job_id)


def read_job(client: PipelineServiceClient, config: VertexConfig, job_id: str) -> PipelineJob:
    """The job as it stands; the question is repeated while the service is away.

    Raises:
      UserError, RunFailed: see `ask`.
    """
    name = f"{parent_of(config)}/pipelineJobs/{job_id}"
    job = ask(config, lambda: client.get_pipeline_job(name=name, timeout=TIMEOUT))
    check_name(config, job.name, f"pipelineJobs/{job_id}")
    return job


def wait(
    client: PipelineServiceClient, config: VertexConfig, job_id: str, show: Show
) -> PipelineJob:
    """Follows a job to its end, and shows how its nodes get on; returns it as it ended.

    Raises:
      RunFailed: the job failed or was cancelled, or the service stayed away.
      UserError: see `ask`.
    """
    shown: dict[str, str] = {}
    pause = threading.Event()
    job = read_job(client, config, job_id)
    while True:
        for task in job.job_detail.task_details:
            state = PipelineTaskDetail.State(task.state).name.lower()
            if shown.get(task.task_name) != state:
                show(f"{task.task_name}: {state}")
            shown[task.task_name] = state
        if job.state in ENDED:
            break
        pause.wait(config.job.poll_seconds)
        job = read_job(client, config, job_id)
    if job.state != PipelineState.PIPELINE_STATE_SUCCEEDED:
        ended = PipelineState(job.state).name.removeprefix("PIPELINE_STATE_").lower()
        why = (job.error.message or "the service does not say why").splitlines()[0].rstrip(".")
        raise RunFailed(f"The job {job_id} {ended}: {why}. See {page_of(config, job_id)}")
    return job


def page_of(config: VertexConfig, job_id: str) -> str:
    """The address of a job's page in the console."""
    return (
        "https://console.cloud.google.com/vertex-ai/locations/"
        f"{config.region}/pipelines/runs/{job_id}?project={config.project}"
    )
