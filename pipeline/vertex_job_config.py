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
    """As whom a job runs, what it is labelled with, and what it may reuse."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service_account: Account | None = Field(
        None, description="account that the nodes and Dataflow's workers run as"
    )
    network: Network | None = Field(
        None, description="projects/NUMBER/global/networks/NAME to peer with"
    )
    reserved_ip_ranges: list[IpRange] = Field(
        [], description="names of that network's ranges to stay in"
    )
    network_attachment: Attachment | None = Field(
        None, description="projects/PROJECT/regions/REGION/networkAttachments/NAME, for PSC"
    )
    encryption_key: Key | None = Field(
        None,
        description="projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY, for CMEK",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        {}, description="labels of the job, beside those that TFX gives it"
    )
    experiment: Experiment | None = Field(None, description="Vertex AI experiment to add runs to")
    caching: bool = Field(True, description="whether nodes may be taken from Vertex AI's cache")
    failure_policy: Literal["fast", "slow"] = Field(
        "fast", description="after a failure: fast starts no node, slow those that still can"
    )
    poll_seconds: float = Field(30, gt=0, description="how often a job that is waited for is asked")
    endpoint: str | None = Field(
        None, description="address of the service; none: the region's; http:// takes no credentials"
    )
