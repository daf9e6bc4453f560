"""The `vertex.job` section of the configuration: how a compiled pipeline is submitted."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Account = Annotated[str, StringConstraints(pattern=r"^[^@\s/]+@[^@\s/]+$")]
Network = Annotated[str, StringConstraints(pattern=r"^projects/\d+/global/networks/[a-z0-9-]+$")]
Attachment = Annotated[
    str,
    StringConstraints(pattern=r"^projects/[^/\s]+/regions/[^/\s]+/networkAttachments/[a-z0-9-]+$"),
]
Key = Annotated[
    str,
    StringConstraints(
        pattern=r"^projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+$"
    ),
]
IpRange = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]
Experiment = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,127}$")]


class JobConfig(BaseModel):
    """The `vertex.job` section: a job's account, network, key, labels, experiment and cache."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service_account: Account | None = Field(
        None, description="service account that nodes and Dataflow workers run as"
    )
    network: Network | None = Field(
        None, description="network to peer with: projects/NUMBER/global/networks/NAME"
    )
    reserved_ip_ranges: list[IpRange] = Field(
        [], description="names of that network's IP ranges to use"
    )
    network_attachment: Attachment | None = Field(
        None,
        description="attachment for Private Service Connect: "
        "projects/PROJECT/regions/REGION/networkAttachments/NAME",
    )
    encryption_key: Key | None = Field(
        None,
        description="key of your own (CMEK): "
        "projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        {}, description="labels of the job, in addition to TFX's"
    )
    experiment: Experiment | None = Field(
        None, description="Vertex AI experiment that runs are added to"
    )
    caching: bool = Field(True, description="whether nodes may come from Vertex AI's cache")
    failure_policy: Literal["fast", "slow"] = Field(
        "fast",
        description="after a failure: fast starts no more nodes, slow those that do not need "
        "the failed one",
    )
    poll_seconds: float = Field(
        30, gt=0, description="seconds between two questions about a job that is waited for"
    )
    endpoint: str | None = Field(
        None,
        description="address of the service; default: the region's; http:// gets no credentials",
    )
