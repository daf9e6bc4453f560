"""The `vertex` section of the configuration."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import UserError

EXAMPLES = {
    "pipeline_root": "gs://BUCKET/greenlight",
    "image": "REGION-docker.pkg.dev/PROJECT/greenlight/cpu:1",
    "project": "PROJECT",
}


class NodeConfig(BaseModel):
    """What one node's container gets; what is left out is as for every node."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu: float | None = Field(None, gt=0, description="cores")
    memory_gb: float | None = Field(None, gt=0, description="memory")
    gpu: str | None = Field(None, description="kind of GPU, such as NVIDIA_TESLA_T4")
    gpus: int = Field(1, ge=1, description="how many of them")
    beam_args: list[str] = Field([], description="further options for Apache Beam")


class DataflowConfig(BaseModel):
    """Which nodes run their Beam part on Dataflow, and on what machines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nodes: list[str] = Field([], description="nodes whose Beam part runs on Dataflow")
    machine_type: str = Field("n2-standard-4", description="machine of a Dataflow worker")
    max_workers: int = Field(4, ge=1, description="most Dataflow workers of a node")
    disk_gb: int = Field(50, ge=30, description="disk of a Dataflow worker")
    args: list[str] = Field([], description="further options for Dataflow, such as --subnetwork=")


class VertexConfig(BaseModel):
    """Where the pipeline runs in the cloud, and what each node gets there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: str | None = Field(None, description="the Google Cloud project")
    region: str = Field("us-central1", description="where everything runs")
    pipeline_name: str = Field(
        "greenlight",
        pattern="^[a-z0-9][a-z0-9-]{0,127}$",
        description="runs of one name share cache and blessed model",
    )
    pipeline_root: str | None = Field(None, description="gs:// folder of everything that is made")
    image: str | None = Field(None, description="container image of the nodes, with its tag")
    gpu_image: str | None = Field(None, description="image of the nodes that have a GPU")
    cpu: float = Field(4, gt=0, description="cores of a node")
    memory_gb: float = Field(16, gt=0, description="memory of a node")
    nodes: dict[str, NodeConfig] = Field({}, description="what single nodes get instead, by name")
    dataflow: DataflowConfig = DataflowConfig()

    def given(self, *keys: str) -> tuple[str, ...]:
        """The values of settings that have no default.

        Raises:
          UserError: one of them is not set.
        """
        for key in keys:
            if not getattr(self, key):
                raise UserError(f"Say --set vertex.{key}={EXAMPLES[key]}.")
        return tuple(getattr(self, key).rstrip("/") for key in keys)
