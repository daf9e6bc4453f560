"""`greenlight vertex submit`: a run on Vertex AI."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import configured_by, run_options
from pipeline.commands.verdict import conclude
from pipeline.config import Config
from pipeline.vertex.folder import vertex_folder

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1 import PipelineServiceClient


@configured_by(run_options)
def submit(
    config: Config,
    job_id: Annotated[str | None, typer.Option(help="the job's name; default: by its time")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="follow the job to its end")] = False,
) -> None:
    """Compiles, checks and starts the pipeline on Vertex AI; prints its page's address.

    Exit status: 0 started, or with --wait blessed; 3 with --wait not blessed; anything else an
    error.
    """
    client, name = _start(config, job_id)
    if config.vertex.job.experiment:
        _join_experiment(config, client, name)
    if wait:
        blessed = _follow(config, client, name)
        conclude(blessed, f"greenlight report {config.vertex.pipeline_root}")


def _start(config: Config, job_id: str | None) -> "tuple[PipelineServiceClient, str]":
    """Submits the job and prints where its page is; returns the service and the job's name."""
    with (
        vertex_folder(config) as (console, _),
        console.status("Loading TensorFlow and TFX") as status,
    ):
        from google.cloud.aiplatform_v1 import PipelineServiceClient

        from pipeline.vertex.checked import checked_job
        from pipeline.vertex.service import submit
        from pipeline.vertex.service.connection import connect

        name = submit.new_job_id(config.vertex, job_id)
        status.update("Compiling and checking")
        job = submit.make_job(checked_job(config, name))
        status.update("Submitting")
        client = connect(PipelineServiceClient, config.vertex)
        page = submit.submit(client, config.vertex, job, name)
    typer.echo(f"{name}: {page}")
    return client, name


def _join_experiment(config: Config, client: "PipelineServiceClient", name: str) -> None:
    """Adds the started job to its experiment."""
    from google.cloud.aiplatform_v1 import MetadataServiceClient

    from pipeline.vertex.service.connection import connect
    from pipeline.vertex.service.experiment import add_to_experiment

    with (
        vertex_folder(config) as (console, _),
        console.status("The job runs; adding it to its experiment"),
    ):
        metadata = connect(MetadataServiceClient, config.vertex)
        add_to_experiment(client, metadata, config.vertex, name)


def _follow(config: Config, client: "PipelineServiceClient", name: str) -> bool:
    """Waits for the end of the started job; returns whether its model is blessed."""
    from pipeline.vertex.service.submit import wait
    from pipeline.vertex.service.verdict import verdict_of

    with (
        vertex_folder(config) as (console, _),
        console.status("The job runs; waiting for its end"),
    ):
        ended = wait(client, config.vertex, name, console.print)
        return verdict_of(ended, str(config.vertex.pipeline_root), name)
