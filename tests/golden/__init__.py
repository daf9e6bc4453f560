"""What must not change without being meant to, as it was last agreed to: one YAML file a matter.

`GOLDEN=write pytest TEST` agrees to what there is now; the difference is then one of the commit.
"""

import difflib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parent
WIDTH = 100


def check(name: str, content: Any) -> None:
    """Fails with the lines that differ unless the content is what `NAME.yaml` here holds."""
    path = FOLDER / f"{name}.yaml"
    now = yaml.dump(content, Dumper=_Short, width=WIDTH, allow_unicode=True)
    if os.environ.get("GOLDEN") == "write":
        path.write_text(now, encoding="utf-8")
    agreed = path.read_text(encoding="utf-8") if path.exists() else ""
    sides = agreed.splitlines(), now.splitlines()
    lines = list(difflib.unified_diff(*sides, path.name, "now", lineterm=""))
    if lines:
        told = f"{path.name} has changed; if that is meant: GOLDEN=write pytest ..."
        pytest.fail("\n".join([told, *lines]), pytrace=False)


def without_texts(schema: Any) -> Any:
    """The same without titles and descriptions; a field of such a name is no text and stays."""
    if isinstance(schema, list):
        return [without_texts(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_texts(value)
        for key, value in schema.items()
        if not (key in ("title", "description") and isinstance(value, str))
    }


class _Short(yaml.SafeDumper):
    """Writes what is short on one line, and all else a line for each item."""

    def represent_mapping(self, tag: Any, mapping: Any, flow_style: Any = None) -> Any:
        return super().represent_mapping(tag, mapping, len(str(mapping)) < WIDTH - 20)

    def represent_sequence(self, tag: Any, sequence: Any, flow_style: Any = None) -> Any:
        return super().represent_sequence(tag, sequence, len(str(sequence)) < WIDTH - 20)
