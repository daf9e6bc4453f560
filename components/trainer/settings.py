"""The settings of a training, and what its node hands to the run function beside them."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from components.example_gen.config import History, SplitConfig
from components.model.config import ModelConfig, TrainingConfig, tuned
from schemas.features import Features
from schemas.words import MOVIE, Item

if TYPE_CHECKING:
    from typing_extensions import Self


WORTH = 0.01  # share of train's ratings that valid must have for a second training to pay


class TrainerSettings(BaseModel):
    """What the configuration and the source say of a training.

    It is one property of the node, as JSON, so that TFX takes a training from its cache only where
    all of this is the same.

    scale: lowest and highest rating of the source; None where it has no ratings.
    features: the names of its features.
    item, labels: what it calls the movies, and the features, by name.
    checkpoints: the folder below which unfinished trainings are kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    split: SplitConfig = SplitConfig()
    scale: tuple[float, float] | None
    features: Features = Features()
    item: Item = MOVIE
    labels: dict[str, str] = {}
    checkpoints: str

    NOT_IN_KEY: ClassVar[Mapping[str, Any]] = {"checkpoints": True, "item": True, "labels": True}

    def to_json(self) -> str:
        """The settings as one text, the same for the same settings."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Self":
        """Reads what `to_json` wrote."""
        return cls.model_validate_json(text)

    def cache_key(self) -> dict[str, Any]:
        """What decides the outcome: with the same key and inputs, unfinished work is gone on with.

        All settings, but for those in `NOT_IN_KEY` (in the form of pydantic's `exclude`).
        """
        return self.model_dump(mode="json", exclude=dict(self.NOT_IN_KEY))

    def value(self, name: str) -> Any:
        """A setting of the model or the training, by its dotted name (`model.dims`)."""
        section, _, field = name.partition(".")
        return getattr(getattr(self, section), field)

    def with_values(self, values: Mapping[str, Any]) -> "Self":
        """The same settings with other values of some, by dotted name.

        Raises:
          pydantic.ValidationError: a value that the setting does not take.
        """
        sections = {
            section: {**getattr(self, section).model_dump(), **changed}
            for section, changed in tuned(values).items()
        }
        return self.model_validate({**self.model_dump(), **sections})


class SplitOutcome(NamedTuple):
    """What the split came to, as the Examples say.

    history: what a valid or eval history holds.
    trained_until: what train ends before, in microseconds since 1970; None: it is not cut by time.
    valid_until: what valid ends before, likewise.
    train_ratings, valid_ratings: how many ratings they have.
    """

    history: History
    trained_until: int | None
    valid_until: int | None = None
    train_ratings: int = 0
    valid_ratings: int = 0

    @property
    def valid_counts(self) -> bool:
        """Whether there is enough in valid for learning from it to make a difference."""
        return self.valid_ratings > WORTH * self.train_ratings


class TrainerArguments(NamedTuple):
    """What the run function gets as TFX's `custom_config`.

    catalogue, held_out, refit: TFRecord files.
    """

    settings: TrainerSettings
    outcome: SplitOutcome
    catalogue: list[str]
    held_out: list[str]
    refit: list[str]
