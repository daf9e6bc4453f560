"""Compiles the pipeline for a service, and refuses what would fail there."""

from pipeline.config import Config
from pipeline.vertex.check.job import job_findings, kfp_findings
from pipeline.vertex.compile import compile_job, compile_kfp
from pipeline.vertex.steps import Spec
from schemas.errors import UserError


def checked_job(config: Config, run_id: str) -> Spec:
    """The PipelineJob, once nothing speaks against submitting it; see `compile_job`.

    Raises:
      UserError: something does.
    """
    job = compile_job(config, run_id)
    if findings := job_findings(job, config):
        others = len(findings) - 1
        more = f" `greenlight vertex check` has {others} more." if others else ""
        raise UserError(findings[0] + more)
    return job


def checked_kfp(config: Config) -> Spec:
    """The PipelineSpec, once nothing speaks against submitting it; see `compile_kfp`.

    Raises:
      UserError: something does.
    """
    spec = compile_kfp(config)
    if findings := kfp_findings(spec):
        raise UserError(findings[0])
    return spec
