"""`greenlight vertex schedule`: makes one, and lists, pauses, resumes and deletes them."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.options import configured_by, run_options, service_options
from pipeline.config import Config
from pipeline.vertex.folder import vertex_folder
from schemas.errors import UserError

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1 import ScheduleServiceClient
    from rich.status import Status

Number = Annotated[str, typer.Argument(help="its number, as `list` shows it, or its full name")]


@functools.wraps(run_options)
def _options_at_first_use(**given: Any) -> Callable[[], Config]:
    """Reads the configuration only when asked for: before `list` its options are a mistake."""
    return functools.partial(run_options, **given)


@configured_by(_options_at_first_use)
def schedule_job(
    context: typer.Context,
    *,
    cron: Annotated[
        str | None, typer.Option(help="when, such as '0 4 * * *': every day at 4 UTC")
    ] = None,
    config: Callable[[], Config],
    start: Annotated[str | None, typer.Option(help="no run before, such as 2027-01-31")] = None,
    end: Annotated[str | None, typer.Option(help="no run after")] = None,
    most: Annotated[int | None, typer.Option("--max-runs", min=1, help="runs in all")] = None,
    concurrent: Annotated[int, typer.Option(min=1, help="runs at work at a time")] = 1,
    queue: Annotated[
        bool, typer.Option("--queue", help="runs wait for earlier ones, and do not fall out")
    ] = False,
) -> None:
    """Lets Vertex AI run the pipeline by the clock, each time on the newest spans."""
    if context.invoked_subcommand:
        _refuse_options(context)
        return
    if cron is None:
        raise UserError("Say when: --cron '0 4 * * *'.")
    chosen = config()
    with _service(chosen) as (status, client):
        from pipeline.vertex.checked import checked_job
        from pipeline.vertex.service.schedule import When, make_schedule, moment
        from pipeline.vertex.service.submit import make_job

        first, last = moment("--start", start), moment("--end", end)
        when = When(cron, first, last, most, concurrent, queue)
        status.update("Compiling and checking")
        job = make_job(checked_job(chosen, ""))
        status.update("Making the schedule")
        name, page = make_schedule(client, chosen.vertex, job, when)
    typer.echo(f"{name}: {page}")


def _refuse_options(context: typer.Context) -> None:
    """Raises UserError for an option before a further command, which would not see it."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = next(one for one in context.command.params if one.name == name).opts[0]
            raise UserError(f"{option} belongs behind {context.invoked_subcommand}.")


@configured_by(service_options)
def list_all(config: Config) -> None:
    """Shows the pipeline's schedules: number, state, expression, next run, runs so far."""
    with _service(config) as (_, client):
        from pipeline.vertex.service.schedule import list_schedules

        existing = list_schedules(client, config.vertex)
    for one in existing:
        typer.echo(_line(one))
    if not existing:
        typer.echo(f"{config.vertex.pipeline_name} has no schedule.")


@configured_by(service_options)
def pause(number: Number, config: Config) -> None:
    """Lets a schedule start no further run; those at work go on."""
    with _service(config) as (_, client):
        from pipeline.vertex.service.schedule import pause_schedule

        changed = pause_schedule(client, config.vertex, number)
    typer.echo(_line(changed))


@configured_by(service_options)
def resume(
    number: Number,
    config: Config,
    catch_up: Annotated[
        bool, typer.Option("--catch-up", help="first the runs that it missed")
    ] = False,
) -> None:
    """Lets a paused schedule go on."""
    with _service(config) as (_, client):
        from pipeline.vertex.service.schedule import resume_schedule

        changed = resume_schedule(client, config.vertex, number, catch_up)
    typer.echo(_line(changed))


@configured_by(service_options)
def delete(number: Number, config: Config) -> None:
    """Deletes a schedule; runs that it started go on."""
    with _service(config) as (_, client):
        from pipeline.vertex.service.schedule import delete_schedule

        delete_schedule(client, config.vertex, number)
    typer.echo(f"{number}: deleted")


@contextmanager
def _service(config: Config) -> "Iterator[tuple[Status, ScheduleServiceClient]]":
    """The status line and the service's client, with noise sent to the log."""
    with vertex_folder(config) as (console, _), console.status("Loading Google's client") as status:
        from google.cloud.aiplatform_v1 import ScheduleServiceClient

        from pipeline.vertex.service.connection import connect

        client = connect(ScheduleServiceClient, config.vertex)
        yield status, client


def _line(one: Any) -> str:
    """A schedule in one line."""
    state = type(one).State(one.state).name.lower()
    due = one.next_run_time
    following = f", next at {due:%Y-%m-%d %H:%M} UTC" if due and state == "active" else ""
    number = one.name.rpartition("/")[2]
    return f"{number}: {state}, {one.cron}{following}, {one.started_run_count} runs so far"


schedule = typer.Typer(
    name="schedule",
    help="Lets Vertex AI run the pipeline by the clock, each time on the newest spans.",
    rich_markup_mode=None,
)
schedule.callback(invoke_without_command=True)(schedule_job)
schedule.command("list")(list_all)
schedule.command()(pause)
schedule.command()(resume)
schedule.command()(delete)
