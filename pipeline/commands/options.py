"""The options that commands share, and the configuration that is made of them."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pipeline.config import Config, load_config


def _default(setting: str) -> str:
    """What a top-level setting is if nothing says otherwise."""
    return str(Config.model_fields[setting].default)


ConfigFile = Annotated[str | None, typer.Option(help="a YAML file with any of the settings")]
SourceName = Annotated[
    str | None,
    typer.Option(help=f"name of a source, or your own YAML file; default: {_default('source')}"),
]
DataDir = Annotated[
    str | None,
    typer.Option(
        help="where the source's files are; default: beside its YAML, or what is embedded"
    ),
]
OutputDir = Annotated[
    str | None,
    typer.Option(help=f"where everything is written; default: {_default('output_dir')}"),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="one setting, such as split.kind=random; may be repeated"),
]
Command = Callable[..., None]


def run_options(
    config: ConfigFile = None,
    source: SourceName = None,
    data_dir: DataDir = None,
    output_dir: OutputDir = None,
    settings: Settings = None,
) -> Config:
    """The configuration of a command that runs the pipeline, here or elsewhere."""
    return load_config(
        config, settings or [], source=source, data_dir=data_dir, output_dir=output_dir
    )


def service_options(config: ConfigFile = None, settings: Settings = None) -> Config:
    """The configuration of a command that asks a service only."""
    return load_config(config, settings or [])


def configured_by(options: Callable[..., Any]) -> Callable[[Command], Command]:
    """Puts the parameters of `options` in the place of a command's parameter `config`.

    Typer shows them as the command's own options; the command gets what `options` makes of them.
    """
    shared = inspect.signature(options).parameters

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            values = {name: given.pop(name) for name in shared if name in given}
            command(config=options(**values), **given)

        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for own in inspect.signature(command).parameters.values()
            for parameter in (shared.values() if own.name == "config" else [own])
        ]
        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {one.name: one.annotation for one in parameters}
        return with_options

    return decorate
