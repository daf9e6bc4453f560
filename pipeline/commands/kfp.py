"""`greenlight kfp submit`: the pipeline on open-source Kubeflow Pipelines; experimental."""

from typing import Annotated, Any

import typer

from pipeline.commands.options import (
    ConfigFile,
    DataDir,
    OutputDir,
    Settings,
    SourceName,
)
from pipeline.commands.vertex import tell_verdict, working
from pipeline.config import Config, load_config
from schemas.errors import RunFailed, UserError

kfp = typer.Typer(
    name="kfp",
    help="The same pipeline on open-source Kubeflow Pipelines (experimental).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@kfp.callback()
def about() -> None:
    """The same pipeline on open-source Kubeflow Pipelines (experimental)."""


Token = Annotated[
    str | None,
    typer.Option(envvar="GREENLIGHT_KFP_TOKEN", help="bearer token; never shown"),
]
Cookie = Annotated[
    str | None,
    typer.Option(envvar="GREENLIGHT_KFP_COOKIE", help="NAME=VALUE of a session; never shown"),
]
Namespace = Annotated[
    str | None,
    typer.Option(envvar="GREENLIGHT_KFP_NAMESPACE", help="yours, where several people share it"),
]


@kfp.command("submit")
def submit_run(
    host: Annotated[str, typer.Option(help="address of Kubeflow Pipelines, such as http://...")],
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
    run_id: Annotated[str | None, typer.Option(help="the run's name; none: by the time")] = None,
    experiment: Annotated[str, typer.Option(help="experiment to add the run to")] = "greenlight",
    token: Token = None,
    cookie: Cookie = None,
    namespace: Namespace = None,
    wait: Annotated[bool, typer.Option("--wait", help="follow the run to its end")] = False,
) -> None:
    """Compiles the pipeline without look-ups of earlier runs and starts it; experimental.

    Exit status: 0 started, or with --wait succeeded; 3 the model is not blessed; else an error.
    """
    chosen = load_config(
        config, settings or [], source=source, data_dir=data_dir, output_dir=output_dir
    )
    with working(chosen) as (console, _), console.status("Compiling and checking") as status:
        from pipeline.vertex import kfp_run
        from pipeline.vertex.kfp_service import Access, Kubeflow
        from pipeline.vertex.submit import new_job_id

        service = Kubeflow(Access(host, token, cookie, namespace))
        name = new_job_id(chosen.vertex, run_id)
        spec = compiled(chosen)
        status.update("Submitting")
        started = kfp_run.start(service, spec, name, experiment)
        state, run = kfp_run.read_state(service, started)
        kfp_run.check_going(service, state, run)
    page = kfp_run.page_of(service, started)
    typer.echo(f"{name}: {page} (experimental: compared with no earlier model)")
    if not wait:
        return
    with working(chosen) as (console, _), console.status("The run is at work; waiting"):
        kfp_run.follow(service, started, chosen.vertex.job.poll_seconds, console.print)
    conclude_run(str(chosen.vertex.pipeline_root), name)


def compiled(config: Config) -> dict[str, Any]:
    """The compiled pipeline, once nothing speaks against submitting it.

    Raises:
      UserError: something does.
    """
    from pipeline.vertex.check import kfp_findings
    from pipeline.vertex.compile import compile_kfp

    spec = compile_kfp(config)
    if found := kfp_findings(spec):
        raise UserError(found[0])
    return spec


def conclude_run(root: str, name: str) -> None:
    """Says what the run's report says, if it can be read; status 3 if the model is not blessed."""
    from pipeline.vertex.verdict import reported_verdict

    try:
        blessed = reported_verdict(root, name)
    except (UserError, RunFailed) as error:
        typer.echo(f"Succeeded; the verdict cannot be read here: {error}")
        return
    tell_verdict(blessed, root)
