"""The settings of the model and of its training."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST = 1_000_000  # epochs, minutes


class ModelConfig(BaseModel):
    """The `model` section of the configuration: sizes and weights of the joint model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    towers: Literal["history", "ids"] = Field(
        "history",
        description="what describes a user: history, or ids as in the public tutorials",
    )
    ignored: list[str] = Field([], description="features of the source that the model does not use")
    retrieval_weight: float = Field(1.0, ge=0, description="weight of the retrieval loss")
    rating_weight: float = Field(1.0, ge=0, description="weight of the rating loss")
    dims: int = Field(128, ge=2, le=1024, description="width of the retrieval embeddings")
    rating_heads: int = Field(
        4, ge=1, le=64, description="number of rating heads, whose predictions are averaged"
    )
    rating_dims: int = Field(
        8, ge=1, le=64, description="width of the movie vectors in each rating head"
    )
    rating_caution: float = Field(
        2.0,
        ge=0,
        description="weight of the divergence between the rating head's tables and their priors",
    )
    hidden: int = Field(256, ge=1, le=4096, description="units of the query tower's hidden layer")
    cross_layers: int = Field(
        0, ge=0, le=8, description="cross layers (DCN-v2) in the movie tower and in the query tower"
    )
    rating_cross_layers: int = Field(
        0, ge=0, le=8, description="cross layers (DCN-v2) in the rating head"
    )
    dropout: float = Field(
        0.2, ge=0, lt=1, description="dropout rate of history events and hidden units"
    )
    id_dropout: float = Field(
        0.1, ge=0, lt=1, description="share of the movie ids shown as unknown in training"
    )
    oov_buckets: int = Field(
        4,
        ge=1,
        le=1000,
        description="out-of-vocabulary buckets of the movies that are not in train",
    )
    hidden_share: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="rest histories: share of a window's movies that is hidden and predicted",
    )
    linear_movies: int = Field(
        4096,
        ge=0,
        le=20_000,
        description="how many of the most rated movies the linear path covers; 0: no linear path",
    )
    linear_penalty: float = Field(
        300.0, gt=0, description="L2 penalty on the weights of the linear path"
    )
    max_softmax: int = Field(
        4096,
        ge=32,
        description="most movies in the softmax of a step; larger catalogues are sampled",
    )

    rating_layers: list[Annotated[int, Field(ge=1, le=4096)]] = Field(
        [256, 128], description="towers=ids: units of each hidden layer of the rating perceptron"
    )
    rating_dropout: float = Field(
        0.0, ge=0, lt=1, description="towers=ids: dropout rate after each of these layers"
    )
    max_norm: float = Field(
        0.0, ge=0, description="towers=ids: largest norm of a unit's weights; 0: no bound"
    )

    @model_validator(mode="after")
    def _has_a_task(self) -> "ModelConfig":
        if self.retrieval_weight + self.rating_weight <= 0:
            raise ValueError("at least one of retrieval_weight and rating_weight must be above 0")
        return self


class TrainingConfig(BaseModel):
    """The `training` section of the configuration: how long and how fast the model learns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: float | None = Field(
        None,
        ge=0,
        le=MOST,
        description="most epochs, such as 8 or 0.5; default: 8, or 12 with rest histories (from "
        "500,000 ratings on 6 and 9), or 4 after a warm start",
    )
    minutes: float | None = Field(
        None,
        gt=0,
        le=MOST,
        description="most minutes that the steps of a training take, training.refit included; its "
        "learning rate is planned to end there; default: what its epochs take",
    )
    most_ratings: int = Field(
        20_000_000,
        ge=1,
        description="most ratings that a training reads, those of every epoch counted, if neither "
        "training.epochs nor training.minutes is set",
    )
    patience: int = Field(
        3, ge=1, description="epochs without a lower loss on valid after which training stops"
    )
    positions: int = Field(2048, ge=1, description="target ratings in a training step")
    optimizer: Literal["adamw", "adagrad"] = Field(
        "adamw",
        description="adamw (warm-up, then cosine decay) or adagrad (constant learning rate)",
    )
    learning_rate: float = Field(0.003, gt=0, description="learning rate; with adamw its peak")
    weight_decay: float = Field(0.01, ge=0, description="adamw: decoupled weight decay")
    average_weights: bool = Field(
        True,
        description="use the moving average of the rating head's weights over an epoch's steps",
    )
    clip_norm: float = Field(5.0, gt=0, description="adamw: bound on the gradient's global norm")
    refit: bool = Field(
        True,
        description="go on with train and valid together once valid has chosen, if valid has a "
        "hundredth of train's ratings; not with training.warm_start",
    )
    warm_start: bool = Field(
        False,
        description="start from the weights of the latest blessed model; needs split.kind=temporal",
    )
    valid_rows: int = Field(
        5_000, ge=1, description="most valid Examples that early stopping measures"
    )
    importance_rows: int = Field(
        2_000, ge=0, le=20_000,
        description="most valid Examples for the report's permutation importance; 0: not measured",
    )  # fmt: skip
    order_rows: int = Field(
        2_000, ge=0, le=20_000,
        description="most valid Examples that the order for people is chosen on; 0: likely to "
        "watch alone",
    )  # fmt: skip
    order_loss: float = Field(
        0.1, ge=0, le=1,
        description="share of its hits that a list for people may lose to better predicted ratings",
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
