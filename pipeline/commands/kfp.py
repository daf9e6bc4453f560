"""`greenlight kfp submit`: the pipeline on open-source Kubeflow Pipelines; experimental."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import configured_by, run_options
from pipeline.commands.verdict import conclude
from pipeline.config import Config
from pipeline.vertex.folder import vertex_folder
from schemas.errors import RunFailed, UserError

if TYPE_CHECKING:
    from rich.status import Status

    from pipeline.vertex.kubeflow.service import Kubeflow

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


@configured_by(run_options)
def submit(
    host: Annotated[str, typer.Option(help="address of Kubeflow Pipelines, such as http://...")],
    config: Config,
    run_id: Annotated[str | None, typer.Option(help="the run's name; default: by its time")] = None,
    experiment: Annotated[str, typer.Option(help="experiment to add the run to")] = "greenlight",
    token: Token = None,
    cookie: Cookie = None,
    namespace: Namespace = None,
    wait: Annotated[bool, typer.Option("--wait", help="follow the run to its end")] = False,
) -> None:
    """Compiles the pipeline without look-ups of earlier runs and starts it; experimental.

    Exit status: 0 started, or with --wait succeeded; 3 the model is not blessed; else an error.
    """
    with vertex_folder(config) as (console, _), console.status("Compiling and checking") as status:
        from pipeline.vertex.kubeflow.run import page_of
        from pipeline.vertex.kubeflow.service import Access, Kubeflow

        service = Kubeflow(Access(host, token, cookie, namespace))
        name, started = _start(config, service, run_id, experiment, status)
        page = page_of(service, started)
    typer.echo(f"{name}: {page} (experimental: compared with no earlier model)")
    if wait:
        _follow(config, service, started)
        _conclude(str(config.vertex.pipeline_root), name)


def _start(
    config: Config, service: "Kubeflow", run_id: str | None, experiment: str, status: "Status"
) -> tuple[str, str]:
    """Starts the run; returns its name, and the id that the service gave it."""
    from pipeline.vertex.checked import checked_kfp
    from pipeline.vertex.kubeflow import run as kubeflow
    from pipeline.vertex.service.submit import new_job_id

    name = new_job_id(config.vertex, run_id)
    spec = checked_kfp(config)
    status.update("Submitting")
    started = kubeflow.start(service, spec, name, experiment)
    state, answer = kubeflow.read_state(service, started)
    kubeflow.check_going(service, state, answer)
    return name, started


def _follow(config: Config, service: "Kubeflow", started: str) -> None:
    """Waits for the end of the started run."""
    from pipeline.vertex.kubeflow.run import follow

    with vertex_folder(config) as (console, _), console.status("The run is at work; waiting"):
        follow(service, started, config.vertex.job.poll_seconds, console.print)


def _conclude(root: str, name: str) -> None:
    """Says what the run's report says, if it can be read; status 3 if the model is not blessed."""
    from pipeline.vertex.service.verdict import reported_verdict

    try:
        blessed = reported_verdict(root, name)
    except (UserError, RunFailed) as error:
        typer.echo(f"Succeeded; the verdict cannot be read here: {error}")
        return
    conclude(blessed, f"greenlight report {root}")


kfp = typer.Typer(
    name="kfp",
    help="The same pipeline on open-source Kubeflow Pipelines (experimental).",
    no_args_is_help=True,
    rich_markup_mode=None,
)
kfp.command("submit")(submit)
