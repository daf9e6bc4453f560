"""`greenlight kfp submit`: the pipeline on open-source Kubeflow Pipelines; experimental."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.config import load_config
from pipeline.shared import ConfigFile, DataDir, OutputDir, Settings, SourceName
from pipeline.vertex.commands import working
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
) -> None:
    """Compiles the pipeline without look-ups of earlier runs and starts it; experimental."""
    chosen = load_config(
        config, settings or [], source=source, data_dir=data_dir, output_dir=output_dir
    )
    with working(chosen) as (console, folder), console.status("Compiling") as status:
        from pipeline.vertex.compile import write_kfp
        from pipeline.vertex.submit import new_job_id

        name = new_job_id(chosen.vertex, run_id)
        package = write_kfp(chosen, folder)
        status.update("Submitting")
        page = submit(package, host.rstrip("/"), name, experiment)
    typer.echo(f"{name}: {page} (experimental: compared with no earlier model)")


def submit(package: Path, host: str, name: str, experiment: str) -> str:
    """Starts a run of a compiled package; returns the address of its page.

    Kubeflow names runs itself, so nothing is asked twice.

    Raises:
      UserError: the service refuses.
      RunFailed: it failed, or cannot be reached.
    """
    import kfp_server_api
    import urllib3
    from kfp import client

    try:
        run = client.Client(host=host).create_run_from_pipeline_package(
            str(package),
            arguments={"run_id": name},
            run_name=name,
            experiment_name=experiment,
        )
    except kfp_server_api.ApiException as error:
        said = f"Kubeflow Pipelines at {host} answers {error.status} {error.reason}"
        if error.status >= 500 or error.status == 429:
            raise RunFailed(f"{said}: try again later.") from error
        raise UserError(f"{said}: are the address and your rights in order?") from error
    except (urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise RunFailed(f"Kubeflow Pipelines cannot be reached at {host}.") from error
    return f"{host}/#/runs/details/{run.run_id}"
