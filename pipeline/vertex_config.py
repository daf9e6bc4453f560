"""The `vertex` section of the configuration."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from pipeline.vertex_job_config import JobConfig
from schemas.errors import UserError
from schemas.stack import installed

ResourceName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
EXAMPLES = {
    "pipeline_root": "gs://BUCKET/greenlight",
    "image": "REGION-docker.pkg.dev/PROJECT/greenlight/cpu:{stack}-1",
    "project": "PROJECT",
}


class NodeConfig(BaseModel):
    """The machine of one node; what is left out is as for all nodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu: float | None = Field(None, gt=0, description="CPU cores")
    memory_gb: float | None = Field(None, gt=0, description="memory, GB")
    gpu: str | None = Field(None, description="kind of GPU, such as NVIDIA_TESLA_T4")
    machine_type: str | None = Field(
        None, description="machine type by its name, in place of cpu and memory_gb"
    )
    strategy: str | None = Field(
        None, description="provisioning strategy, such as SPOT; needs machine_type"
    )
    persistent_resource: ResourceName | None = Field(
        None, description="persistent resource to run on; needs machine_type"
    )
    replicas: int = Field(
        1, ge=1, description="machines that train together, of MovieTrainer; needs machine_type"
    )
    retries: int | None = Field(None, ge=0, le=10, description="retries after a failure")
    beam_args: list[str] = Field([], description="further options for Apache Beam")

    @property
    def chosen_machine(self) -> bool:
        """Whether it asks for what only a custom job can give."""
        own = self.machine_type or self.strategy or self.persistent_resource
        return bool(own) or self.replicas > 1


class DataflowConfig(BaseModel):
    """The `vertex.dataflow` section: nodes whose Beam part runs on Dataflow, and its machines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nodes: list[str] = Field([], description="nodes whose Beam part runs on Dataflow")
    machine_type: str = Field("n2-standard-4", description="machine type of a Dataflow worker")
    max_workers: int = Field(4, ge=1, description="maximum number of Dataflow workers of a node")
    disk_gb: int = Field(50, ge=30, description="disk of a Dataflow worker, GB")
    args: list[str] = Field([], description="further options for Dataflow, such as --subnetwork=")


class VertexConfig(BaseModel):
    """The `vertex` section: where the pipeline runs on Google Cloud, and on what machines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: str | None = Field(None, description="Google Cloud project")
    region: str = Field("us-central1", description="Google Cloud region that everything runs in")
    pipeline_name: str = Field(
        "greenlight",
        pattern="^[a-z0-9][a-z0-9-]{0,127}$",
        description="pipeline's name; runs of one name share cache and blessed model",
    )
    pipeline_root: str | None = Field(
        None, description="gs:// folder that everything is written to"
    )
    image: str | None = Field(
        None,
        description="container image of the nodes, with its tag or digest; `{stack}` is the stack "
        "that compiles",
    )
    gpu_image: str | None = Field(None, description="container image of the nodes that have a GPU")
    cpu: float = Field(4, gt=0, description="CPU cores of a node")
    memory_gb: float = Field(16, gt=0, description="memory of a node, GB")
    retries: int = Field(0, ge=0, le=10, description="retries of a failed node")
    nodes: dict[str, NodeConfig] = Field(
        {}, description="settings of single nodes, by the node's name"
    )
    dataflow: DataflowConfig = DataflowConfig()
    job: JobConfig = JobConfig()

    @field_validator("image", "gpu_image")
    @classmethod
    def _of_this_stack(cls, image: str | None) -> str | None:
        return image and image.replace("{stack}", installed().name)

    def required(self, *keys: str) -> tuple[str, ...]:
        """The values of settings that have no default.

        Raises:
          UserError: one of them is not set.
        """
        for key in keys:
            if not getattr(self, key):
                raise UserError(f"Say --set vertex.{key}={EXAMPLES[key]}.")
        return tuple(getattr(self, key).rstrip("/") for key in keys)
