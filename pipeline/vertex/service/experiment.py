"""Adds a job to a Vertex AI experiment, which is a context of the region's metadata store."""

import threading

from google.api_core import exceptions
from google.cloud.aiplatform_v1 import MetadataServiceClient, PipelineServiceClient
from google.cloud.aiplatform_v1.types import Context

from pipeline.vertex.service.connection import TIMEOUT, ask, check_name, parent_of
from pipeline.vertex.service.submit import ENDED, read_job
from pipeline.vertex_config import VertexConfig

SCHEMA, VERSION = "system.Experiment", "0.0.1"  # what the console shows as an experiment


def add_to_experiment(
    jobs: PipelineServiceClient, metadata: MetadataServiceClient, config: VertexConfig, job_id: str
) -> None:
    """Puts the job's run into the configured experiment, which is made if there is none.

    The service gives a job its run only when it starts to work on it: this waits for that. All of
    it is safe to repeat, since names are chosen here and a child is added once.

    Raises:
      UserError, RunFailed: see `ask`.
    """
    name = str(config.job.experiment)
    pause = threading.Event()
    job = read_job(jobs, config, job_id)
    while not job.job_detail.pipeline_run_context.name and job.state not in ENDED:
        pause.wait(config.job.poll_seconds)
        job = read_job(jobs, config, job_id)
    store = f"{parent_of(config)}/metadataStores/default"
    ask(config, lambda: make_experiment(metadata, config, store, name))
    ask(
        config,
        lambda: metadata.add_context_children(
            context=f"{store}/contexts/{name}",
            child_contexts=[job.job_detail.pipeline_run_context.name],
            timeout=TIMEOUT,
        ),
    )


def make_experiment(
    metadata: MetadataServiceClient, config: VertexConfig, store: str, name: str
) -> None:
    """Makes an experiment, unless there is one of that name.

    Raises:
      google.api_core.exceptions.Conflict: something else has that name.
    """
    context = Context(display_name=name, schema_title=SCHEMA, schema_version=VERSION)
    try:
        made = metadata.create_context(
            parent=store, context=context, context_id=name, timeout=TIMEOUT
        )
        check_name(config, made.name, f"contexts/{name}")
    except exceptions.Conflict:
        made = metadata.get_context(name=f"{store}/contexts/{name}", timeout=TIMEOUT)
        if made.schema_title != SCHEMA:
            raise
