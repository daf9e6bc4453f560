"""`greenlight vertex`: the same pipeline compiled for Vertex AI and Kubeflow, checked and tried."""

from typing import Annotated

import typer

from pipeline.commands.options import configured_by, run_options
from pipeline.commands.schedule import schedule
from pipeline.commands.submit import submit
from pipeline.commands.verdict import USER_ERROR, closing_sentences, conclude
from pipeline.config import Config
from pipeline.output import held, new_run_id
from pipeline.vertex.folder import vertex_folder


@configured_by(run_options)
def compile_files(config: Config) -> None:
    """Writes the PipelineJob for Vertex AI and, experimental, the PipelineSpec for Kubeflow."""
    config.vertex.required("pipeline_root", "image")
    with vertex_folder(config) as (console, folder), console.status("Compiling"):
        from pipeline.vertex.compile import write_job, write_kfp

        job, spec = write_job(config, new_run_id(folder), folder), write_kfp(config, folder)
    typer.echo(f"{job}: the PipelineJob for Vertex AI")
    typer.echo(f"{spec}: the PipelineSpec for Kubeflow Pipelines (experimental)")


@configured_by(run_options)
def check(config: Config) -> None:
    """Says what would fail on Vertex AI or Kubeflow; exit status 2 if there is anything."""
    config.vertex.required("pipeline_root", "image")
    with vertex_folder(config) as (console, _), console.status("Compiling and checking"):
        from pipeline.vertex.check.job import job_findings, kfp_findings
        from pipeline.vertex.compile import compile_job, compile_kfp

        job = compile_job(config, "check")
        sentences = [*job_findings(job, config), *kfp_findings(compile_kfp(config))]
    for sentence in dict.fromkeys(sentences):
        typer.echo(f"greenlight: {sentence}", err=True)
    if sentences:
        raise typer.Exit(USER_ERROR)
    steps = len(job["pipelineSpec"]["root"]["dag"]["tasks"])
    typer.echo(f"Nothing found: {steps} steps, ready to be submitted.")


@configured_by(run_options)
def run_dry(
    config: Config,
    local_data: Annotated[
        str | None, typer.Option(help="a copy of the data directory, where that is on gs://")
    ] = None,
) -> None:
    """Runs the compiled job's container commands here. Exit status as of `greenlight run`."""
    with vertex_folder(config) as (console, folder), held(folder):
        with console.status("Loading TensorFlow and TFX"):
            from pipeline.vertex.dry_run.run import dry_run

        outcome = dry_run(config, local_data, folder, console)
    conclude(outcome.blessing["blessed"], outcome.report, closing_sentences(outcome.blessing))


vertex = typer.Typer(
    name="vertex",
    help="The same pipeline on Vertex AI and Kubeflow.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
vertex.command("compile")(compile_files)
vertex.command()(check)
vertex.command("dry-run")(run_dry)
vertex.command("submit")(submit)
vertex.add_typer(schedule)
