"""The search space as KerasTuner knows it."""

from collections.abc import Mapping
from typing import Any

import keras_tuner as kt

from components.model.config import SECTIONS
from components.tuner.config import Range, Value

Space = Mapping[str, Range | list[Value]]


def hyperparameters(space: Space, own: Mapping[str, Mapping[str, Any]]) -> kt.HyperParameters:
    """Declares the space; the defaults are the configuration's own values where the space has them.

    Args:
      space: setting to choices or range.
      own: the configuration's sections `model` and `training`.
    """
    found = kt.HyperParameters()
    for name, values in space.items():
        section, _, field = name.partition(".")
        value = own[section][field]
        default = value if includes(values, value) else None
        if isinstance(values, list):
            found.Choice(name, values, default=default)
        elif SECTIONS[section].model_fields[field].annotation is int:
            low, high = int(values.low), int(values.high)
            found.Int(name, low, high, sampling=values.scale, default=default)
        else:
            found.Float(name, values.low, values.high, sampling=values.scale, default=default)
    return found


def includes(values: Range | list[Value], value: Any) -> bool:
    """Whether the choices or the range hold a value."""
    if isinstance(values, list):
        return value in values
    return isinstance(value, int | float) and values.low <= value <= values.high


def own_values(space: Space, own: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The configuration's own values of what is searched, by dotted name."""
    parts = (name.partition(".") for name in space)
    return {f"{section}.{field}": own[section][field] for section, _, field in parts}
