"""The gates as a user sets them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.evaluation import measures
from components.evaluation.slices import DIMENSIONS, parse_slice

GATED = ("hit_rate", "ndcg", "mrr", "rmse", "mae")
CALIBRATION = "calibration_error"
LIST_MEASURES = (
    "coverage", "novelty", "diversity", "popularity_lift", "genre_divergence", "full_list",
)  # fmt: skip
RETRIEVAL, RATING = "retrieval", "rating"
LOWER_IS_BETTER = ("rmse", "mae", CALIBRATION, "popularity_lift", "genre_divergence")


class SliceGates(BaseModel):
    """What must hold in one slice, beyond what must hold overall; none: not judged there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    popularity_margin: float | None = Field(
        None, description="gain in hit rate over popularity that must be exceeded"
    )
    bias_margin: float | None = Field(
        None, description="gain in RMSE over the user+movie bias that must be exceeded"
    )
    hit_rate_tolerance: float | None = Field(None, ge=0)
    rmse_tolerance: float | None = Field(None, ge=0)
    bounds: dict[str, float] = Field({}, description="absolute bounds on metrics")


class GatesConfig(BaseModel):
    """What a model must do to be blessed.

    The two gates over the baselines always hold: the gain's interval must lie above `margin`. Where
    train has no ratings to learn from, those of ratings are off by themselves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    retrieval: bool = Field(True, description="whether the recommended lists are judged")
    rating: bool = Field(True, description="whether predicted ratings are judged")
    ks: list[Annotated[int, Field(ge=1)]] = Field(
        [1, 5, 10, 50, 100], min_length=1, description="list lengths that metrics are measured at"
    )
    k: int = Field(10, ge=1, description="list length of the gated hit rate")
    popularity_margin: float = Field(
        0.0, ge=0, description="gain in hit rate over popularity that must be exceeded"
    )
    bias_margin: float = Field(
        0.0, ge=0, description="gain in RMSE over the user+movie bias that must be exceeded"
    )
    hit_rate_tolerance: float = Field(
        0.01, ge=0, description="how far hit rate may fall below the blessed model's"
    )
    rmse_tolerance: float = Field(
        0.01, ge=0, description="how far RMSE may rise above the blessed model's"
    )
    bounds: dict[str, float] = Field(
        {}, description="absolute bounds on metrics, such as rmse: 0.9"
    )
    level: float = Field(0.95, gt=0.5, lt=1, description="confidence level of the intervals")
    replicates: int = Field(500, ge=50, description="bootstrap replicates of an interval")
    slices: list[str] = Field(
        list(DIMENSIONS), description="features by which the eval ratings are sliced"
    )
    crosses: list[list[str]] = Field(
        [], description="pairs of slices to cross, such as [gender, age]"
    )
    slice_users: int = Field(30, ge=2, description="fewest users of a slice that is judged")
    per_slice: dict[str, SliceGates] = Field(
        {}, description="gates of single slices, such as genre=Drama"
    )
    list_users: int = Field(2_000, ge=1, description="most users whose lists are checked")

    @model_validator(mode="after")
    def _judges_something(self) -> "GatesConfig":
        if not (self.retrieval or self.rating):
            raise ValueError(
                "gates.retrieval and gates.rating are both false: nothing would be judged"
            )
        parts = {f"gates.per_slice.{name}": part.bounds for name, part in self.per_slice.items()}
        for where, bounds in {"gates": self.bounds, **parts}.items():
            for name in bounds:
                if task_of(name) in self.off:
                    raise ValueError(
                        f"{where}.bounds: {name} is not judged where gates.{task_of(name)} is false"
                    )
        return self

    @model_validator(mode="after")
    def _known(self) -> "GatesConfig":
        if self.k not in self.ks:
            raise ValueError(f"gates.k={self.k} must be one of gates.ks={self.ks}")
        gated = [name for name in measures.metric_names(tuple(self.ks)) if is_gated(name)]
        _check_bounds("gates.bounds", self.bounds, [*gated, CALIBRATION, *LIST_MEASURES])
        _check_dimensions("gates.slices", self.slices)
        for pair in self.crosses:
            _check_dimensions("gates.crosses", pair)
            if len(set(pair)) != 2:
                raise ValueError(f"gates.crosses: {pair} is no pair of different slices")
        for name, part in self.per_slice.items():
            where = f"gates.per_slice.{name}"
            dimensions = [dimension for dimension, _ in parse_slice(name)]
            _check_dimensions(where, dimensions)
            _check_bounds(f"{where}.bounds", part.bounds, [*gated, CALIBRATION])
            if sorted(dimensions) not in [*([d] for d in self.slices), *map(sorted, self.crosses)]:
                raise ValueError(f"{where}: name it in gates.slices or gates.crosses too")
        return self

    @property
    def off(self) -> dict[str, str]:
        """The tasks that are not to be judged, each with the reason in words."""
        asked = {RETRIEVAL: self.retrieval, RATING: self.rating}
        return {task: f"gates.{task} is false" for task, judged in asked.items() if not judged}

    @property
    def hit_rate(self) -> str:
        """The name of the gated hit rate."""
        return f"hit_rate@{self.k}"


def _check_bounds(where: str, bounds: dict[str, float], known: list[str]) -> None:
    for name in bounds:
        if name not in known:
            raise ValueError(f"{where}: {name!r} is none of {', '.join(known)}")


def _check_dimensions(where: str, names: list[str]) -> None:
    for name in names:
        if name not in DIMENSIONS:
            raise ValueError(f"{where}: {name!r} is none of {', '.join(DIMENSIONS)}")


def task_of(name: str) -> str:
    """The task that a metric, or a measure of the lists, judges."""
    return RATING if name == CALIBRATION or measures.on_ratings(name) else RETRIEVAL


def is_gated(name: str) -> bool:
    """Whether a metric is one of the model's own, which can have a bound."""
    plain = name.removeprefix("unmasked/")
    return "/" not in plain and plain.split("@")[0] in GATED


def lower_is_better(name: str) -> bool:
    """Whether a metric is an error."""
    return name.removeprefix("unmasked/") in LOWER_IS_BETTER


def has_interval(name: str) -> bool:
    """Whether a metric is shown with an interval: the model's own, the baselines' and the gains."""
    plain = name
    for prefix in ("gain/", "change/", "popularity/", "bias/"):
        plain = plain.removeprefix(prefix)
    return is_gated(plain)
