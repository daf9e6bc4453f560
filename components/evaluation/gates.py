"""The settings of the gates."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.evaluation import measures
from components.evaluation.metric_name import (
    CALIBRATION_ERROR,
    HIT_RATE,
    LIST_MEASURES,
    RATING,
    RETRIEVAL,
    MetricName,
)
from components.evaluation.slices import DIMENSIONS, dimensions, parse_slice


class SliceGates(BaseModel):
    """What must hold in one slice, beyond what must hold overall; what is null is not judged."""

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
    slices: list[str] | None = Field(
        None, description="features by which the eval ratings are sliced; default: all"
    )
    crosses: list[list[str]] = Field(
        [], description="pairs of slices to cross, such as [history, genre]"
    )
    slice_users: int = Field(30, ge=2, description="fewest users of a slice that is judged")
    per_slice: dict[str, SliceGates] = Field(
        {}, description="gates of single slices, such as genre=Drama"
    )
    list_users: int = Field(2_000, ge=1, description="most users whose lists are checked")

    @model_validator(mode="after")
    def _known(self) -> "GatesConfig":
        if self.k not in self.ks:
            raise ValueError(f"gates.k={self.k} must be one of gates.ks={self.ks}")
        known = [str(name) for name in measures.metric_names(tuple(self.ks)) if name.is_own]
        _check_bounds("gates.bounds", self.bounds, [*known, CALIBRATION_ERROR, *LIST_MEASURES])
        for pair in self.crosses:
            if len(set(pair)) != 2:
                raise ValueError(f"gates.crosses: {pair} is no pair of different slices")
        for name, part in self.per_slice.items():
            _check_bounds(
                f"gates.per_slice.{name}.bounds", part.bounds, [*known, CALIBRATION_ERROR]
            )
        return self

    def of_users(self, features: Sequence[str]) -> "GatesConfig":
        """The same with the slices named that are all where users have these features.

        Raises:
          ValueError: a slice is named that there is not, or a gate on one that is not measured.
        """
        known = dimensions(features)
        slices = known if self.slices is None else self.slices
        _check_slices("gates.slices", slices, known)
        for pair in self.crosses:
            _check_slices("gates.crosses", pair, known)
        measured = [*([name] for name in slices), *map(sorted, self.crosses)]
        for name in self.per_slice:
            where, own = f"gates.per_slice.{name}", [own for own, _ in parse_slice(name)]
            _check_slices(where, own, known)
            if sorted(own) not in measured:
                raise ValueError(f"{where}: name it in gates.slices or gates.crosses too")
        return self.model_copy(update={"slices": slices})

    @property
    def sliced_by(self) -> list[str]:
        """The slices; where none is named, all but those by features of users."""
        return list(DIMENSIONS) if self.slices is None else self.slices

    @property
    def order(self) -> list[str]:
        """Everything that is or could be sliced by, in the order in which it is shown."""
        named = [name for names in (self.sliced_by, *self.crosses) for name in names]
        return dimensions([name for name in dict.fromkeys(named) if name not in DIMENSIONS])

    @model_validator(mode="after")
    def _judges_something(self) -> "GatesConfig":
        if not (self.retrieval or self.rating):
            raise ValueError(
                "gates.retrieval and gates.rating are both false: nothing would be judged"
            )
        parts = {f"gates.per_slice.{name}": part.bounds for name, part in self.per_slice.items()}
        for where, bounds in {"gates": self.bounds, **parts}.items():
            for name in bounds:
                task = MetricName.parse(name).task
                if task in self.off:
                    raise ValueError(
                        f"{where}.bounds: {name} is not judged where gates.{task} is false"
                    )
        return self

    @property
    def off(self) -> dict[str, str]:
        """The tasks that are not to be judged, each with the reason in words."""
        asked = {RETRIEVAL: self.retrieval, RATING: self.rating}
        return {task: f"gates.{task} is false" for task, judged in asked.items() if not judged}

    @property
    def hit_rate(self) -> MetricName:
        """The name of the gated hit rate."""
        return MetricName(HIT_RATE, self.k)


def _check_bounds(where: str, bounds: dict[str, float], known: list[str]) -> None:
    for name in bounds:
        if name not in known:
            raise ValueError(f"{where}: {name!r} is none of {', '.join(known)}")


def _check_slices(where: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{where}: {name!r} is none of {', '.join(known)}")
