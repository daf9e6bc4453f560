"""The settings of the simple recommenders that a report shows beside the model."""

from pydantic import BaseModel, ConfigDict, Field


class PeersConfig(BaseModel):
    """The `report.peers` section: what the model is shown beside, and on how much."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(
        2_000, ge=0, le=100_000,
        description="most eval Examples on which simple recommenders are measured; 0: not measured",
    )  # fmt: skip
    ratings: int = Field(
        10_000_000, ge=0,
        description="most ratings that simple recommenders learn from; with more there are none",
    )  # fmt: skip
    movies: int = Field(
        4_096, ge=1, le=20_000, description="most rated movies that ItemKNN and EASE know"
    )
    recent_days: int = Field(
        30, ge=1, description="newest days that recent popularity counts, where there are times"
    )
