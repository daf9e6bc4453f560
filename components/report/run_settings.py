"""The settings of a run as plain texts, and what differs between two runs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

ELSEWHERE = ("output_dir",)  # says nothing of the model
NONE = "none"  # where a run has no such setting


def settings(run: Mapping[str, Any]) -> dict[str, str]:
    """Every setting of a run by its dotted key, as JSON; those that the Tuner chose as chosen."""
    own = {key: value for key, value in run["config"].items() if key not in ELSEWHERE}
    return dict([*_flat(own), *_flat(run["training"].get("tuned", {}))])


def changed(earlier: Mapping[str, str], later: Mapping[str, str]) -> list[str]:
    """What was set anew from one run to another, one text each."""
    return [
        f"{key}: {earlier.get(key, NONE)} → {later.get(key, NONE)}"
        for key in dict.fromkeys((*earlier, *later))
        if earlier.get(key) != later.get(key)
    ]


def _flat(part: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, str]]:
    for key, value in part.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", json.dumps(value, ensure_ascii=False)
