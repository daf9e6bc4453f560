"""The gates as a user sets them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.evaluation import measures

GATED = ("hit_rate", "ndcg", "mrr", "rmse", "mae")
LOWER_IS_BETTER = ("rmse", "mae")


class GatesConfig(BaseModel):
    """What a model must do to be blessed.

    The two gates over the baselines always hold: the gain's interval must lie above `margin`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ks: list[Annotated[int, Field(ge=1)]] = Field(
        [1, 5, 10, 50, 100], min_length=1, description="lengths of the lists"
    )
    k: int = Field(10, ge=1, description="the list length that is gated")
    popularity_margin: float = Field(0.0, ge=0, description="hit rate beyond popularity's")
    bias_margin: float = Field(0.0, ge=0, description="RMSE below the bias baseline's")
    hit_rate_tolerance: float = Field(0.01, ge=0, description="hit rate below the blessed model's")
    rmse_tolerance: float = Field(0.01, ge=0, description="RMSE above the blessed model's")
    bounds: dict[str, float] = Field({}, description="absolute bounds, such as rmse: 0.9")
    level: float = Field(0.95, gt=0.5, lt=1, description="level of the intervals")
    replicates: int = Field(500, ge=50, description="bootstrap resamples behind an interval")
    slices: list[str] = Field([], description="features whose values are shown apart")

    @model_validator(mode="after")
    def _known(self) -> "GatesConfig":
        if self.k not in self.ks:
            raise ValueError(f"gates.k={self.k} must be one of gates.ks={self.ks}")
        gated = [name for name in measures.metric_names(tuple(self.ks)) if is_gated(name)]
        for name in self.bounds:
            if name not in gated:
                raise ValueError(f"gates.bounds: {name!r} is none of {', '.join(gated)}")
        return self

    @property
    def hit_rate(self) -> str:
        """The name of the gated hit rate."""
        return f"hit_rate@{self.k}"


def is_gated(name: str) -> bool:
    """Whether a metric is one of the model's own, which can have a bound."""
    plain = name.removeprefix("unmasked/")
    return "/" not in plain and plain.split("@")[0] in GATED


def lower_is_better(name: str) -> bool:
    """Whether a metric is an error."""
    return name.removeprefix("unmasked/") in LOWER_IS_BETTER


def has_interval(name: str) -> bool:
    """Whether a metric is shown with an interval: the model's own and its gains."""
    return is_gated(name.removeprefix("gain/"))
