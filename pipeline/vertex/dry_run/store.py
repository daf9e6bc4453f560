"""What a dry run remembers in place of Vertex ML Metadata: artifacts, and what made them."""

import json
import uuid
from pathlib import Path
from typing import Any

import yaml

from schemas.files import write_whole

Artifact = dict[str, Any]  # a RuntimeArtifact in its JSON form
Outputs = dict[str, list[Artifact]]


class Store:
    """Artifacts by their names, oldest first, and the outputs of every cached step, in one file."""

    def __init__(self, path: Path) -> None:
        """Reads the file, if there is one."""
        self._path = path
        content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self._artifacts: dict[str, Artifact] = content.get("artifacts", {})
        self._cache: dict[str, dict[str, list[str]]] = content.get("cache", {})

    def find(self, query: str) -> list[Artifact]:
        """The newest artifact that fits a resolver's query, in a list; an empty list if none does.

        Raises:
          ValueError: a term of the query that TFX's compiler is not known to write.
        """
        return [one for one in self._artifacts.values() if matches(one, query)][-1:]

    def cached(self, key: str) -> Outputs | None:
        """What a step with this key made before."""
        names = self._cache.get(key)
        if names is None:
            return None
        return {output: [self._artifacts[name] for name in of] for output, of in names.items()}

    def keep(self, key: str, outputs: Outputs) -> None:
        """Takes in what a step made, under its key, and writes everything down."""
        self._artifacts |= {one["name"]: one for of in outputs.values() for one in of}
        self._cache[key] = {name: [one["name"] for one in of] for name, of in outputs.items()}
        content = {"artifacts": self._artifacts, "cache": self._cache}
        write_whole(self._path, json.dumps(content, indent=1))


def new_name() -> str:
    """A name that no artifact has, in the form of Vertex ML Metadata's."""
    return f"projects/1/locations/local/metadataStores/default/artifacts/{uuid.uuid4().int}"


def title(artifact_type: dict[str, str]) -> str:
    """The schema's title, by which an artifact's type is known."""
    return str(yaml.safe_load(artifact_type["instanceSchema"])["title"])


def matches(artifact: Artifact, query: str) -> bool:
    """Whether every term of a resolver's query holds; see `Store.find`."""
    return all(_holds(artifact, *term.split("=", 1)) for term in query.split(" AND "))


def _holds(artifact: Artifact, field: str, text: str) -> bool:
    value = text.strip('"')
    match field.split("."):
        case ["schema_title"]:
            return title(artifact["type"]) == value
        case ["state"]:
            return value == "LIVE"  # only what a finished step made is ever added
        case ["name"]:
            return bool(artifact["name"] == value)
        case ["metadata", key, "number_value"]:
            return bool(artifact["metadata"].get(key) == float(value))
        case ["metadata", key, "string_value"]:
            return bool(artifact["metadata"].get(key) == value)
    raise ValueError(f"unknown field of a resolver's query: {field}")
