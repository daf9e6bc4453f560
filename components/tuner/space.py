"""The search space as KerasTuner knows it."""

from collections.abc import Mapping
from typing import Any

import keras_tuner as kt

from components.model.config import SECTIONS
from components.trainer.settings import TrainerSettings
from components.tuner.config import Range, Value

Space = Mapping[str, Range | list[Value]]


def hyperparameters(space: Space, settings: TrainerSettings) -> kt.HyperParameters:
    """Declares the space; the defaults are the configuration's own values where the space has them.

    Args:
      space: setting to choices or range.
      settings: the configuration's own.
    """
    declared = kt.HyperParameters()
    for name, values in space.items():
        section, _, field = name.partition(".")
        own = settings.value(name)
        default = own if includes(values, own) else None
        if isinstance(values, list):
            declared.Choice(name, values, default=default)
        elif SECTIONS[section].model_fields[field].annotation is int:
            low, high = int(values.low), int(values.high)
            declared.Int(name, low, high, sampling=values.scale, default=default)
        else:
            declared.Float(name, values.low, values.high, sampling=values.scale, default=default)
    return declared


def includes(values: Range | list[Value], value: Any) -> bool:
    """Whether the choices or the range hold a value."""
    if isinstance(values, list):
        return value in values
    return isinstance(value, int | float) and values.low <= value <= values.high


def own_values(space: Space, settings: TrainerSettings) -> dict[str, Any]:
    """The configuration's own values of what is searched, by dotted name."""
    return {name: settings.value(name) for name in space}
