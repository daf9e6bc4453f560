"""Whether the model of a run elsewhere was blessed."""

from google.cloud.aiplatform_v1.types import PipelineJob

from pipeline.remote import find_reports, read_json
from schemas.artifacts import BLESSING_FILE, Node
from schemas.errors import RunFailed

BLESSING_OUTPUT, BLESSED = "blessing", "blessed"


def verdict_of(job: PipelineJob, root: str, run_id: str) -> bool:
    """Whether an ended job blessed its model, by its blessing or else by its report.

    Raises:
      UserError, RunFailed: see `reported_verdict`.
    """
    blessed = job_verdict(job)
    return reported_verdict(root, run_id) if blessed is None else blessed


def job_verdict(job: PipelineJob) -> bool | None:
    """Whether an ended job blessed its model, by what its blessing says; None if nothing."""
    for task in job.job_detail.task_details:
        if task.task_name == Node.EVALUATOR and BLESSING_OUTPUT in task.outputs:
            for artifact in task.outputs[BLESSING_OUTPUT].artifacts:
                if BLESSED in artifact.metadata:
                    return bool(artifact.metadata[BLESSED] == 1)
    return None


def reported_verdict(root: str, run_id: str) -> bool:
    """Whether the report of a run below a pipeline root says that its model is blessed.

    Raises:
      UserError, RunFailed: see `find_reports` and `read_json`; there is no report of that run.
    """
    for report in reversed(find_reports(root)):
        content = read_json(report, BLESSING_FILE)
        if content.get("run_id") == run_id:
            return content.get("blessed") is True
    raise RunFailed(f"{root} holds no report of the run {run_id}.")
