"""How long the model learned, in words."""

from collections.abc import Mapping
from typing import Any


def training_words(training: Mapping[str, Any], minutes: float | None) -> str:
    """What was read of train, and whether valid still said better; runs of old do not know.

    Args:
      training: as blessing.json has it.
      minutes: the bound on its time; None: there was none.
    """
    return " ".join(
        [*_read(training, minutes), *_improving(training), *_with_valid(training, minutes)]
    )


def _read(training: Mapping[str, Any], minutes: float | None) -> list[str]:
    read = training.get("read")
    if read is None:
        return []
    within = "" if minutes is None else f" within its {minutes:g} minutes"
    if read < 1:
        return [f"The training read {read:.1%} of train{within}."]
    times = "once" if read == 1 else f"{round(read, 1):g} times"
    return [f"The training read train {times}{within}."]


def _improving(training: Mapping[str, Any]) -> list[str]:
    improving = training.get("improving")
    if improving is None:
        return []
    if improving:
        return ["Valid still found it better at the end: a longer training may do better."]
    return ["At the end valid found it no better than before."]


def _with_valid(training: Mapping[str, Any], minutes: float | None) -> list[str]:
    if not training.get("refit"):
        return []
    long = "for half as many epochs" if minutes is None else "in a third of the time at most"
    return [f"The exported model then went on with train and valid together, {long}."]
