"""Lets Vertex AI start the compiled job again and again."""

import datetime
import re
from dataclasses import dataclass

from google.cloud.aiplatform_v1 import ScheduleServiceClient
from google.cloud.aiplatform_v1.types import (
    CreatePipelineJobRequest,
    PipelineJob,
    ResumeScheduleRequest,
    Schedule,
)

from pipeline.vertex.service import connection
from pipeline.vertex.service.connection import TIMEOUT, ask, check_name, one_sentence, parent_of
from pipeline.vertex_config import VertexConfig
from schemas.errors import RunFailed, UserError

_FIELD = r"[0-9*,/A-Za-z-]+"
_CRON = re.compile(rf"((CRON_)?TZ=[A-Za-z_]+(/[A-Za-z_+-]+)* )?{_FIELD}( {_FIELD}){{4}}")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class When:
    """When runs start, and how many.

    cron: see `check_cron`.
    start: the first moment; default: now.
    end: the last moment; default: never.
    most: runs in all; default: no limit.
    concurrent: runs at a time.
    queue: whether a run that finds so many others running waits; else it is left out.
    """

    cron: str
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    most: int | None = None
    concurrent: int = 1
    queue: bool = False

    def __post_init__(self) -> None:
        """Raises UserError for what can never start a run."""
        check_cron(self.cron)
        now = datetime.datetime.now(tz=datetime.timezone.utc)
        if self.end and self.end <= max(self.start or now, now):
            raise UserError("--end: the schedule would be over before it begins.")


def check_cron(cron: str) -> None:
    """Raises UserError unless the expression has the form of a cron expression."""
    if not _CRON.fullmatch(cron):
        raise UserError(
            f"--cron {cron!r}: give minute, hour, day, month and weekday, such as '0 4 * * *', "
            "with a time zone in front where UTC is not meant: 'TZ=Europe/Berlin 0 4 * * *'."
        )


def moment(option: str, text: str | None) -> datetime.datetime | None:
    """A moment as ISO 8601 spells it; UTC unless it names a zone.

    Raises:
      UserError: it is none.
    """
    if text is None:
        return None
    try:
        time = datetime.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text.strip()))
    except ValueError as error:
        raise UserError(
            f"{option} {text!r}: write a moment as 2027-01-31T04:00 (UTC) or "
            "2027-01-31T04:00+01:00."
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def make_schedule(
    client: ScheduleServiceClient, config: VertexConfig, job: PipelineJob, when: When
) -> tuple[str, str]:
    """Makes a schedule.

    The service names schedules itself, so asking twice could make two: only what it refused for its
    quota is asked again.

    Returns:
      The schedule's full name and the address of its page.

    Raises:
      UserError, RunFailed: see `ask`.
    """
    parent, schedule = parent_of(config), _wanted(config, job, when)
    made = ask(
        config,
        lambda: client.create_schedule(parent=parent, schedule=schedule, timeout=TIMEOUT),
        repeatable=False,
    )
    check_name(config, made.name, r"schedules/[^/]+")
    number = made.name.rpartition("/")[2]
    return made.name, (
        "https://console.cloud.google.com/vertex-ai/locations/"
        f"{config.region}/pipelines/schedules/{number}?project={config.project}"
    )


def _wanted(config: VertexConfig, job: PipelineJob, when: When) -> Schedule:
    """The service's form of a schedule."""
    return Schedule(
        display_name=config.pipeline_name,
        cron=when.cron,
        start_time=when.start,
        end_time=when.end,
        max_run_count=when.most or 0,
        max_concurrent_run_count=when.concurrent,  # runs that are being started
        max_concurrent_active_run_count=when.concurrent,  # and that are at work
        allow_queueing=when.queue,
        create_pipeline_job_request=CreatePipelineJobRequest(
            parent=parent_of(config), pipeline_job=job
        ),
    )


def list_schedules(client: ScheduleServiceClient, config: VertexConfig) -> list[Schedule]:
    """The pipeline's schedules, the newest first.

    Raises:
      UserError, RunFailed: see `ask`.
    """
    request = {
        "parent": parent_of(config),
        "filter": f'display_name="{config.pipeline_name}"',
        "order_by": "create_time desc",
    }
    existing = ask(config, lambda: list(client.list_schedules(request, timeout=TIMEOUT)))
    for one in existing:
        check_name(config, one.name, r"schedules/[^/]+")
    return existing


def full_name(config: VertexConfig, number_or_name: str) -> str:
    """A schedule's full name, by its number or its full name.

    Raises:
      UserError: it is neither, or the name of one elsewhere.
    """
    number = number_or_name.rpartition("/")[2]
    if not _NUMBER.fullmatch(number) or number_or_name not in (number, _name(config, number)):
        raise UserError(
            f"{number_or_name} is no schedule of {config.project} in {config.region}: take a "
            "number that `greenlight vertex schedule list` shows."
        )
    return _name(config, number)


def _name(config: VertexConfig, number: str) -> str:
    return f"{parent_of(config)}/schedules/{number}"


def pause_schedule(
    client: ScheduleServiceClient, config: VertexConfig, number_or_name: str
) -> Schedule:
    """Lets a schedule start no further run; returns it as it then stands.

    Raises:
      UserError, RunFailed: see `ask`; it is not paused afterwards.
    """
    name = full_name(config, number_or_name)
    ask(config, lambda: client.pause_schedule(name=name, timeout=TIMEOUT))
    return _checked_state(client, config, name, Schedule.State.PAUSED)


def resume_schedule(
    client: ScheduleServiceClient, config: VertexConfig, number_or_name: str, catch_up: bool
) -> Schedule:
    """Lets a paused schedule go on, with the runs that it missed if told to catch up.

    Raises:
      UserError, RunFailed: see `ask`; it is not at work afterwards.
    """
    name = full_name(config, number_or_name)
    request = ResumeScheduleRequest(name=name, catch_up=catch_up)
    ask(config, lambda: client.resume_schedule(request, timeout=TIMEOUT))
    return _checked_state(client, config, name, Schedule.State.ACTIVE)


def _checked_state(
    client: ScheduleServiceClient, config: VertexConfig, name: str, wanted: int
) -> Schedule:
    """The schedule after a change, which the service answers by nothing; it has to be made."""
    schedule = ask(config, lambda: client.get_schedule(name=name, timeout=TIMEOUT))
    check_name(config, schedule.name, f"schedules/{name.rpartition('/')[2]}")
    if schedule.state != wanted:
        state = Schedule.State(schedule.state).name.lower()
        raise RunFailed(f"The schedule {name} is {state} all the same.")
    return schedule


def delete_schedule(
    client: ScheduleServiceClient, config: VertexConfig, number_or_name: str
) -> None:
    """Deletes a schedule; runs that it started go on.

    Raises:
      UserError, RunFailed: see `ask`.
    """
    name = full_name(config, number_or_name)
    operation = ask(
        config, lambda: client.delete_schedule(name=name, timeout=TIMEOUT), repeatable=False
    )
    with one_sentence(config):
        check_name(config, operation.operation.name, r"operations/[^/]+")
        operation.result(timeout=connection.PATIENCE)
