"""Lets Vertex AI start the compiled job again and again."""

import re

from google.cloud.aiplatform_v1 import ScheduleServiceClient
from google.cloud.aiplatform_v1.types import CreatePipelineJobRequest, PipelineJob, Schedule

from pipeline.vertex.config import VertexConfig
from pipeline.vertex.service import REFUSED, TIMEOUT, parent_of, repeated, telling
from schemas.errors import UserError

_FIELD = r"[0-9*,/A-Za-z-]+"
_CRON = re.compile(rf"((CRON_)?TZ=[A-Za-z_]+(/[A-Za-z_+-]+)* )?{_FIELD}( {_FIELD}){{4}}")


def check_cron(cron: str) -> None:
    """Raises UserError unless the expression has the form of a cron expression."""
    if not _CRON.fullmatch(cron):
        raise UserError(
            f"--cron {cron!r}: give minute, hour, day, month and weekday, such as '0 4 * * *', "
            "with a time zone in front where UTC is not meant: 'TZ=Europe/Berlin 0 4 * * *'."
        )


def schedule(
    client: ScheduleServiceClient,
    config: VertexConfig,
    job: PipelineJob,
    cron: str,
    most: int | None,
) -> tuple[str, str]:
    """Makes a schedule; a run that is still at work is not joined by another one.

    The service names schedules itself, so asking twice could make two: only what it refused for its
    quota is asked again.

    Args:
      client: of the service.
      config: where.
      job: what is run.
      cron: when, see `check_cron`.
      most: how many runs in all; none: until the schedule is ended.

    Returns:
      The schedule's full name and the address of its page.

    Raises:
      UserError, RunFailed: see `telling`.
    """
    wanted = Schedule(
        display_name=config.pipeline_name,
        cron=cron,
        max_concurrent_run_count=1,
        max_run_count=most or 0,
        create_pipeline_job_request=CreatePipelineJobRequest(
            parent=parent_of(config), pipeline_job=job
        ),
    )
    with telling(config):
        made = repeated(
            lambda: client.create_schedule(
                parent=parent_of(config), schedule=wanted, timeout=TIMEOUT
            ),
            *REFUSED,
        )
    number = made.name.rpartition("/")[2]
    return made.name, (
        "https://console.cloud.google.com/vertex-ai/locations/"
        f"{config.region}/pipelines/schedules/{number}?project={config.project}"
    )
