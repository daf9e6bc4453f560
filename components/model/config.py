"""What a user may choose about the model and its training."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.features import MOVIE_FEATURES, USER_FEATURES


class ModelConfig(BaseModel):
    """Sizes and weights of the joint model; the defaults suit every data set tried."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    towers: Literal["history", "ids"] = Field(
        "history", description="what a user is read from; ids: the public tutorials' model"
    )
    ignored: list[str] = Field([], description="features that the source has and the model ignores")
    retrieval_weight: float = Field(1.0, ge=0, description="weight of the retrieval loss")
    rating_weight: float = Field(1.0, ge=0, description="weight of the rating loss")
    dims: int = Field(128, ge=2, le=1024, description="width of the retrieval embeddings")
    rating_heads: int = Field(4, ge=1, le=64, description="rating heads that are averaged")
    rating_dims: int = Field(8, ge=1, le=64, description="width of each rating head's vectors")
    rating_caution: float = Field(
        2.0, ge=0, description="weight of the rating tables' divergence from their priors"
    )
    hidden: int = Field(256, ge=1, le=4096, description="width of the query tower's hidden layer")
    cross_layers: int = Field(
        0, ge=0, le=8, description="cross layers (DCN-v2) over the parts of a movie and of a user"
    )
    rating_cross_layers: int = Field(
        0, ge=0, le=8, description="cross layers (DCN-v2) over both together, for ratings"
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="share of event and hidden units dropped")
    id_dropout: float = Field(0.1, ge=0, lt=1, description="share of ids replaced by unknown")
    oov_buckets: int = Field(4, ge=1, le=1000, description="buckets for ids training never saw")
    hidden_share: float = Field(0.4, gt=0, lt=1, description="share of a set that is predicted")
    linear_movies: int = Field(
        4096, ge=0, le=20_000, description="most rated movies that the linear path covers; 0: none"
    )
    linear_penalty: float = Field(300.0, gt=0, description="regularisation of the linear path")
    max_softmax: int = Field(
        4096, ge=32, description="movies a step's loss covers; larger catalogues are sampled"
    )

    rating_layers: list[Annotated[int, Field(ge=1, le=4096)]] = Field(
        [256, 128], description="towers=ids: units of the rating perceptron's layers"
    )
    rating_dropout: float = Field(0.0, ge=0, lt=1, description="towers=ids: dropout behind them")
    max_norm: float = Field(
        0.0, ge=0, description="towers=ids: most norm of a unit's weights; 0: any"
    )

    @field_validator("ignored")
    @classmethod
    def _are_features(cls, ignored: list[str]) -> list[str]:
        known = (*USER_FEATURES, *MOVIE_FEATURES)
        for name in ignored:
            if name not in known:
                raise ValueError(f"{name} is no feature: name any of {', '.join(known)}")
        return ignored

    @model_validator(mode="after")
    def _has_a_task(self) -> "ModelConfig":
        if self.retrieval_weight + self.rating_weight <= 0:
            raise ValueError("at least one of retrieval_weight and rating_weight must be above 0")
        return self


class TrainingConfig(BaseModel):
    """How long and how fast the model learns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int | None = Field(
        None,
        ge=0,
        description="most passes over train; none: 8, as a set 12; from 500,000 ratings on 6 and 9",
    )
    patience: int = Field(3, ge=1, description="epochs without a better valid loss before stopping")
    positions: int = Field(2048, ge=1, description="target ratings a training step holds")
    optimizer: Literal["adamw", "adagrad"] = Field(
        "adamw", description="adamw with warm-up and cosine decay, or adagrad at a constant rate"
    )
    learning_rate: float = Field(0.003, gt=0, description="peak of the learning rate")
    weight_decay: float = Field(0.01, ge=0, description="decoupled weight decay")
    average_weights: bool = Field(
        True, description="judge and keep the rating head's moving average over an epoch's steps"
    )
    clip_norm: float = Field(5.0, gt=0, description="bound on the gradient's global norm")
    warm_start: bool = Field(
        False, description="start from the latest blessed model; only with split.kind=temporal"
    )
    valid_rows: int = Field(5_000, ge=1, description="valid examples read for early stopping")
    importance_rows: int = Field(
        2_000, ge=0, le=20_000,
        description="valid examples on which inputs are shuffled to see what matters; 0: none",
    )  # fmt: skip
    seed: int = Field(42, ge=0, description="seed of initial weights, shuffling and dropout")


SECTIONS: Mapping[str, type[BaseModel]] = {"model": ModelConfig, "training": TrainingConfig}


def tuned(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Sorts dotted names (`model.dims`) by section; a tuner's names for its own use are dropped."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, field = name.partition(".")
        if section in SECTIONS:
            found.setdefault(section, {})[field] = value
    return found
