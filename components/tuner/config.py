"""The settings of the Tuner: what is searched, how, and for how long."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from components.model.config import SECTIONS

Value = bool | int | float | str
# Early stopping finds the epochs; the others change what is measured, not how good the model is.
NOT_TUNED = (
    "training.epochs", "training.minutes", "training.seed", "training.valid_rows",
    "training.importance_rows", "training.order_rows", "training.order_loss",
)  # fmt: skip
SPACE: Mapping[str, Any] = {
    "model.dims": [64, 128, 256],
    "model.hidden": [128, 256, 512],
    "model.dropout": {"low": 0.0, "high": 0.5},
    "model.rating_dims": [4, 8, 16],
    "model.rating_caution": {"low": 0.5, "high": 8.0, "scale": "log"},
    "model.rating_weight": [0.25, 1.0, 4.0],
    "model.linear_penalty": {"low": 100.0, "high": 1000.0, "scale": "log"},
    "training.learning_rate": {"low": 0.001, "high": 0.01, "scale": "log"},
    "training.weight_decay": {"low": 0.001, "high": 0.1, "scale": "log"},
}


class Range(BaseModel):
    """The numbers from low to high; integers where the setting is an integer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _has_room(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("on a log scale low must be above 0")
        return self


class TuningConfig(BaseModel):
    """Whether and how to search for better settings, which the Trainer then uses."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    enabled: bool = Field(False, description="search for better settings before training")
    algorithm: Literal["hyperband", "bayesian"] = Field(
        "hyperband",
        description="hyperband: many short trainings, the best go on; bayesian: fewer, whole ones",
    )
    space: dict[str, Range | list[Value]] = Field(
        dict(SPACE),
        description="settings to search: their choices, or {low, high, scale: linear or log}",
    )
    mix: float = Field(
        0.5,
        ge=0,
        le=1,
        description="weight of RMSE in a trial's score; the rest is the weight of NDCG",
    )
    trials: int = Field(40, ge=1, le=10_000, description="maximum number of trials")
    minutes: float = Field(30.0, gt=0, description="maximum minutes of the whole search")
    parallel: int | None = Field(
        None,
        ge=1,
        le=64,
        description="trials run at the same time; default: one for every two cores, at most four",
    )
    seed: int = Field(42, ge=1, description="seed of the search")

    @field_validator("space", mode="before")
    @classmethod
    def _dotted(cls, space: Any) -> Any:
        """Takes nested names as well: `space: {model: {dims: [32, 64]}}`."""
        return dict(_flat(space)) if isinstance(space, dict) else space

    @field_validator("space")
    @classmethod
    def _fits(cls, space: dict[str, Range | list[Value]]) -> dict[str, Range | list[Value]]:
        if not space:
            raise ValueError("name at least one setting, such as model.dims: [32, 64]")
        return {name: _checked(name, values) for name, values in space.items()}


def _flat(space: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in space.items():
        if isinstance(value, dict) and not value.keys() & Range.model_fields.keys():
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _checked(name: str, values: Range | list[Value]) -> Range | list[Value]:
    section, _, field = name.partition(".")
    if section not in SECTIONS or field not in SECTIONS[section].model_fields:
        raise ValueError(f"{name} is none of the model's or training's settings")
    if name in NOT_TUNED:
        raise ValueError(f"{name} cannot be tuned")
    if isinstance(values, Range):
        ends = (_accepted(section, field, end) for end in (values.low, values.high))
        if not all(isinstance(end, int | float) for end in ends):
            raise ValueError(f"{name} has no range: list its choices")
        return values
    choices = [_accepted(section, field, value) for value in values]
    if len(choices) < 2 or len(set(map(str, choices))) < len(choices):
        raise ValueError(f"{name}: give two or more different choices, or a range")
    return choices


def _accepted(section: str, field: str, value: Value) -> Any:
    """The value in the type of its setting; raises ValueError where the setting refuses it."""
    try:
        return getattr(SECTIONS[section].model_validate({field: value}), field)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{section}.{field}: {value!r}: {reason}") from error
