"""`greenlight vertex`: the same pipeline for Vertex AI and Kubeflow Pipelines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.commands.options import (
    NOT_BLESSED,
    USER_ERROR,
    ConfigFile,
    DataDir,
    OutputDir,
    Settings,
    SourceName,
    conclude,
)
from pipeline.config import Config, load_config
from pipeline.local import alone, make_output, new_run_id, told
from schemas.artifacts import LOG_FILE

FOLDER = "vertex"

vertex = typer.Typer(
    name="vertex",
    help="The same pipeline on Vertex AI and Kubeflow.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@vertex.callback()
def about() -> None:
    """The same pipeline on Vertex AI and Kubeflow."""


@vertex.command("compile")
def compile_files(
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
) -> None:
    """Writes the PipelineJob for Vertex AI and, experimental, the PipelineSpec for Kubeflow."""
    chosen = load_config(
        config, settings or [], source=source, data_dir=data_dir, output_dir=output_dir
    )
    chosen.vertex.given("pipeline_root", "image")
    with working(chosen) as (console, folder), console.status("Compiling"):
        from pipeline.vertex.compile import write_job, write_kfp

        job, spec = write_job(chosen, new_run_id(folder), folder), write_kfp(chosen, folder)
    typer.echo(f"{job}: the PipelineJob for Vertex AI")
    typer.echo(f"{spec}: the PipelineSpec for Kubeflow Pipelines (experimental)")


@vertex.command()
def check(
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
) -> None:
    """Says what would fail on Vertex AI or Kubeflow; exit status 2 if there is anything."""
    chosen = load_config(
        config, settings or [], source=source, data_dir=data_dir, output_dir=output_dir
    )
    chosen.vertex.given("pipeline_root", "image")
    with working(chosen) as (console, _), console.status("Compiling and checking"):
        from pipeline.vertex.check import job_findings, kfp_findings
        from pipeline.vertex.compile import compile_job, compile_kfp

        job = compile_job(chosen, "check")
        found = dict.fromkeys([*job_findings(job, chosen), *kfp_findings(compile_kfp(chosen))])
    for sentence in found:
        typer.echo(f"greenlight: {sentence}", err=True)
    if found:
        raise typer.Exit(USER_ERROR)
    steps = len(job["pipelineSpec"]["root"]["dag"]["tasks"])
    typer.echo(f"Nothing found: {steps} steps, ready to be submitted.")


@vertex.command("dry-run")
def run_dry(
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
    local_data: Annotated[
        str | None, typer.Option(help="a copy of the data directory, where that is on gs://")
    ] = None,
) -> None:
    """Runs the compiled job's container commands here. Exit status as of `greenlight run`."""
    chosen = load_config(
        config, settings or [], source=source, data_dir=data_dir, output_dir=output_dir
    )
    with working(chosen) as (console, folder), alone(folder):
        with console.status("Loading TensorFlow and TFX"):
            from pipeline.vertex.dry_run import dry_run

        outcome = dry_run(chosen, local_data, folder, console)
    conclude(outcome)


def tell_verdict(blessed: bool, root: str) -> None:
    """Says whether a run elsewhere blessed its model; exits with status 3 if it did not."""
    typer.echo(f"{'Blessed and pushed' if blessed else 'NOT blessed'}: greenlight report {root}")
    if not blessed:
        raise typer.Exit(NOT_BLESSED)


@contextmanager
def working(config: Config) -> Iterator[tuple[Console, Path]]:
    """Sends what libraries print to the log; gives the user's console and the folder for files.

    Raises:
      UserError: the output directory cannot be made.
      RunFailed: for what nobody foresaw.
    """
    from pipeline.progress import quiet

    output = make_output(config)
    folder = output / FOLDER
    folder.mkdir(exist_ok=True)
    with quiet(output / LOG_FILE) as console, told(output / LOG_FILE):
        yield console, folder
