"""`greenlight vertex submit`."""

from typing import Annotated, Any

import typer

from pipeline.commands.options import ConfigFile, DataDir, OutputDir, Settings, SourceName
from pipeline.commands.vertex import tell_verdict, vertex, working
from pipeline.config import Config, load_config
from schemas.errors import UserError


@vertex.command("submit")
def submit_job(
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
    job_id: Annotated[str | None, typer.Option(help="the job's name; none: by the time")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="follow the job to its end")] = False,
) -> None:
    """Compiles, checks and starts the pipeline on Vertex AI; prints its page's address.

    Exit status: 0 started, or with --wait blessed; 3 with --wait not blessed; anything else an
    error.
    """
    chosen = load_config(
        config, settings or [], source=source, data_dir=data_dir, output_dir=output_dir
    )
    with working(chosen) as (console, _), console.status("Loading TensorFlow and TFX") as status:
        from google.cloud.aiplatform_v1 import MetadataServiceClient, PipelineServiceClient

        from pipeline.vertex import submit
        from pipeline.vertex.experiment import add_to_experiment
        from pipeline.vertex.service import connect
        from pipeline.vertex.verdict import verdict_of

        vertex_ai = chosen.vertex
        name = submit.new_job_id(vertex_ai, job_id)
        status.update("Compiling and checking")
        job = submit.make_job(compiled(chosen, name))
        status.update("Submitting")
        client = connect(PipelineServiceClient, vertex_ai)
        page = submit.submit(client, vertex_ai, job, name)
    typer.echo(f"{name}: {page}")
    if not wait and not vertex_ai.job.experiment:
        return
    with working(chosen) as (console, _), console.status("The job runs; waiting") as status:
        if vertex_ai.job.experiment:
            status.update("The job runs; adding it to its experiment")
            metadata = connect(MetadataServiceClient, vertex_ai)
            add_to_experiment(client, metadata, vertex_ai, name)
        if wait:
            status.update("The job runs; waiting for its end")
            ended = submit.wait(client, vertex_ai, name, console.print)
            root = str(vertex_ai.pipeline_root)
            blessed = verdict_of(ended, root, name)
    if wait:
        tell_verdict(blessed, root)


def compiled(config: Config, run_id: str) -> dict[str, Any]:
    """The compiled job, once nothing speaks against submitting it.

    Raises:
      UserError: something does.
    """
    from pipeline.vertex.check import job_findings
    from pipeline.vertex.compile import compile_job

    job = compile_job(config, run_id)
    if found := job_findings(job, config):
        more = f" `greenlight vertex check` has {len(found) - 1} more." if found[1:] else ""
        raise UserError(found[0] + more)
    return job
