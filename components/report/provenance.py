"""Where a report comes from: versions, artifacts, the model compared with, and the data."""

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

PACKAGES = ("greenlight", "tfx", "tensorflow", "tensorflow-recommenders",
            "tensorflow-model-analysis", "apache-beam", "numpy", "pyarrow")  # fmt: skip


def versions() -> dict[str, str]:
    """Python's version and those of the packages that the numbers rest on."""
    by_name = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            by_name[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            by_name[name] = "from source"
    return by_name


def lineage(inputs: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The artifacts that the report was made from."""
    return [
        {"role": role, "type": artifact.type_name, "id": artifact.id, "uri": artifact.uri}
        for role, artifacts in inputs.items()
        for artifact in artifacts
    ]


def compared_with(verdict: Any) -> str:
    """Which blessed model the Evaluator compared with, as its verdict tells."""
    uri = verdict.get_string_custom_property("baseline_model_uri")
    number = verdict.get_int_custom_property("baseline_model_id")
    if not uri:
        return "There was no blessed model that the candidate could be compared with."
    return f"Compared with the blessed model {number} at {uri}."


def fingerprint(examples: Any) -> str:
    """The data's fingerprint in one line: bytes and checksums of each file pattern."""
    parts = examples.get_string_custom_property("input_fingerprint").split()
    return "; ".join(part for part in parts if "num_files:0" not in part) or "none"
