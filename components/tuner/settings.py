"""The settings of a search, and what its node hands to the tuner function beside them."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from components.trainer.settings import SplitOutcome, TrainerSettings
from components.tuner.config import TuningConfig


class TunerSettings(TrainerSettings):
    """The Trainer's settings, and those of the search.

    A search goes on from where it was with other limits, so they are not in its key.
    """

    tuning: TuningConfig

    NOT_IN_KEY: ClassVar[Mapping[str, Any]] = {
        **TrainerSettings.NOT_IN_KEY,
        "tuning": {"enabled", "trials", "minutes", "parallel"},
    }


class TunerArguments(NamedTuple):
    """What the tuner function gets as TFX's `custom_config`; nothing says where eval is.

    catalogue: TFRecord files.
    """

    settings: TunerSettings
    outcome: SplitOutcome
    catalogue: list[str]
