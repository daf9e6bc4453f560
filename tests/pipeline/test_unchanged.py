"""The command line and the settings are what scripts and configuration files rely on."""

from collections.abc import Iterator
from typing import Any

import typer

from pipeline.cli import app
from pipeline.config import Config
from tests.golden import check, without_texts


def test_every_command_has_its_options() -> None:
    check("command_line", dict(_commands("greenlight", typer.main.get_command(app))))


def test_every_setting_has_its_default_and_bounds() -> None:
    schema = Config.model_json_schema()
    defaults = Config().model_dump(mode="json")
    check("settings", without_texts(dict(_settings(schema, schema["$defs"], defaults))))


def _commands(name: str, command: Any) -> Iterator[tuple[str, list[str]]]:
    yield name, [_option(param) for param in command.params]
    for own, sub in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {own}", sub)


def _option(param: Any) -> str:
    """Names, range, environment and default; whether it is a flag, is required, may be repeated."""
    traits = {
        "flag": getattr(param, "is_flag", False),
        "required": param.required,
        "...": getattr(param, "multiple", False),
        f"from {getattr(param, 'min', None)} to {getattr(param, 'max', None)}": True,
        f"or {param.envvar}": param.envvar is not None,
        f"= {param.default}": param.default is not None,
    }
    names = "/".join([*param.opts, *param.secondary_opts])
    told = [names, *(trait for trait, holds in traits.items() if holds)]
    return " ".join(told).replace(" from None to None", "")


def _settings(
    schema: dict[str, Any], parts: dict[str, Any], defaults: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Dotted keys with their types, bounds and defaults."""
    for name, field in schema["properties"].items():
        own = _resolved(field, parts)
        if "properties" in own:
            yield from _settings(own, parts, defaults[name], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", {**own, "default": defaults[name]}


def _resolved(schema: Any, parts: dict[str, Any]) -> Any:
    """The same with every part in its place, whatever the name of its class."""
    if isinstance(schema, list):
        return [_resolved(value, parts) for value in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {key: _resolved(value, parts) for key, value in schema.items()}
