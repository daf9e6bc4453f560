"""Finds settings that Vertex AI would refuse, or that name what may be another thing tomorrow."""

import difflib
import re
from collections.abc import Iterator

from google.cloud.aiplatform.constants.base import SUPPORTED_REGIONS

from pipeline.vertex.check.machines import machine_findings
from pipeline.vertex.steps import Spec, container_of
from pipeline.vertex_config import VertexConfig
from schemas.stack import installed, named_in

REGIONS = sorted(SUPPORTED_REGIONS - {"global"})  # a pipeline runs in one place
_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:[a-z0-9]+(?:[.-][a-z0-9]+)*(?::\d+)?/)?{_PART}(?:/{_PART})*"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@sha256:(?P<digest>[0-9a-f]{64}))?",
    re.ASCII,
)


def setting_findings(vertex: VertexConfig) -> list[str]:
    """A sentence for each setting that cannot be, or nothing would use."""
    return [
        *region_findings(vertex.region),
        *account_findings(vertex),
        *network_findings(vertex),
        *machine_findings(vertex),
    ]


def region_findings(region: str) -> Iterator[str]:
    """Whether the installed client knows the region."""
    if region in REGIONS:
        return
    around = region.rpartition("-")[0]
    if around in REGIONS:
        yield f"vertex.region={region} is a zone: name its region, {around}."
        return
    close = difflib.get_close_matches(region, REGIONS, n=1)
    hint = f"did you mean {close[0]}?" if close else "such as europe-west4."
    yield f"vertex.region={region} is no region of Vertex AI: {hint}"


def account_findings(vertex: VertexConfig) -> Iterator[str]:
    """Whether it is said whose project it is, and as whom the nodes run."""
    if not vertex.project:
        yield "vertex.project is not set: name the Google Cloud project."
    elif not _PROJECT.fullmatch(vertex.project):
        yield f"vertex.project={vertex.project} is no project's id, such as my-project."
    account = vertex.job.service_account
    if not account:
        yield (
            "vertex.job.service_account is not set: name the account that the nodes run as, which "
            "has the roles that they need."
        )
    elif not account.endswith(".gserviceaccount.com"):
        yield f"vertex.job.service_account={account} is no service account's address."


def network_findings(vertex: VertexConfig) -> Iterator[str]:
    """Networks and keys that do not go together, or are elsewhere."""
    job = vertex.job
    if job.network and job.network_attachment:
        yield "vertex.job has a network and a network_attachment: a job takes one of them."
    if job.reserved_ip_ranges and not job.network:
        yield "vertex.job.reserved_ip_ranges are ranges of a network: set vertex.job.network too."
    for key in ("network_attachment", "encryption_key"):
        value = getattr(job, key)
        if value and value.split("/")[3] != vertex.region:
            yield f"vertex.job.{key}={value} is not in vertex.region={vertex.region}."


def image_findings(spec: Spec) -> Iterator[str]:
    """Images that are none, may be another one tomorrow, or are of the other stack."""
    executors = spec["deploymentSpec"]["executors"].values()
    images = {container["image"] for executor in executors if (container := container_of(executor))}
    for image in sorted(images):
        parts = _IMAGE.fullmatch(image)
        if not parts:
            yield (
                f"{image} is no image's name: write it as REGISTRY/NAME:TAG, or with a digest, "
                "@sha256: and 64 hexadecimal digits."
            )
        elif not parts["digest"] and parts["tag"] in (None, "latest"):
            yield (
                f"The image {image} has no tag of its own: name one, or a digest, so that every "
                "step runs the same code."
            )
        elif named_in(image) not in (None, installed().name):
            yield (
                f"The image {image} is of {named_in(image)}, and this is compiled by "
                f"{installed().name}: write {{stack}} in its tag, and build it for that."
            )
