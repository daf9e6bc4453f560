"""Reads a source's YAML file as what it is: words, none of which is anything but text."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import UserError

_HINTS = {
    "unknown escape character": "in double quotes a backslash begins an escape: take single quotes",
    r"found character '\t'": "indent with spaces, not with tabs",
    "is there twice": "leave one of them",
}
_QUOTES = r"put a value with signs such as % | , : # \ in single quotes"


class _TextLoader(yaml.SafeLoader):
    """Takes words as they are written.

    YAML would make `no` false, `NULL` nothing, `2020` a number and `2020-01-01` a date, and what it
    would be to a column's name or to a cell is lost then. Only what is not written at all is None.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own)
        "": [("tag:yaml.org,2002:null", re.compile(r"^$"))],
        "<": [("tag:yaml.org,2002:merge", re.compile(r"^<<$"))],
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping, if no key of it is there twice: the first would be lost in silence."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.value != "<<":
                problem = f"the key {key.value} is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The file's keys; every value is text, a list, more keys, or None where nothing is written.

    Raises:
      UserError: it cannot be read, or is not YAML.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _TextLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"{path}: the source description cannot be read: {reason}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: this is not valid YAML{explained(error)}.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: a source description is a list of `key: value` lines.")
    return content


def explained(error: Exception) -> str:
    """Where a file ceases to be YAML, why, and how to write it; without a full stop."""
    if isinstance(error, RecursionError):
        return ": its lists or keys are nested too deep"
    place, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if place is None or not problem:
        return f": {getattr(error, 'reason', error)}"
    hint = next((hint for sign, hint in _HINTS.items() if sign in problem), _QUOTES)
    return f" (line {place.line + 1}): {problem}; {hint}"
