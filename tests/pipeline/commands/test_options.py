"""Options that commands share: where they stand, and the configuration that a command gets."""

from typing import Annotated

import pytest
import typer
import typer.core
from typer.testing import CliRunner

from pipeline.commands.options import configured_by, run_options, service_options
from pipeline.config import Config
from schemas.errors import UserError


@configured_by(run_options)
def look(
    host: Annotated[str, typer.Option()],
    config: Config,
    wait: Annotated[bool, typer.Option("--wait")] = False,
) -> None:
    """Prints what it was given."""
    typer.echo(f"{host} {config.source} {config.output_dir} {config.split.seed} {wait}")


@configured_by(service_options)
def ask(config: Config) -> None:
    """Prints a setting."""
    typer.echo(config.vertex.region)


APP = typer.Typer(rich_markup_mode=None)
APP.command()(look)
APP.command()(ask)


def _options(command: str) -> list[str]:
    group = typer.main.get_command(APP)
    assert isinstance(group, typer.core.TyperGroup)
    return [param.opts[0] for param in group.commands[command].params]


def test_shared_options_stand_in_the_place_of_the_configuration():
    names = _options("look")
    shared = ["--config", "--source", "--data-dir", "--output-dir", "--set"]
    assert names == ["--host", *shared, "--wait"]
    assert "Prints what it was given." in CliRunner().invoke(APP, ["look", "--help"]).output
    names = _options("ask")
    assert names == ["--config", "--set"]


def test_a_file_gives_way_to_options_and_settings(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("output_dir: out\nsource: movielens-1m\nsplit: {seed: 5}\n")
    words = ["--config", str(path), "--data-dir", str(tmp_path), "--output-dir", "other",
             "--set", "split.seed=7", "--host", "h", "--wait"]  # fmt: skip
    done = CliRunner().invoke(APP, ["look", *words])
    assert done.output == "h movielens-1m other 7 True\n"
    done = CliRunner().invoke(APP, ["look", "--host", "h"])
    assert done.output == f"h {Config().source} {Config().output_dir} {Config().split.seed} False\n"


def test_a_command_without_data_takes_settings_too():
    done = CliRunner().invoke(APP, ["ask", "--set", "vertex.region=europe-west4"])
    assert done.output == "europe-west4\n"


def test_a_mistake_is_raised_before_the_command_begins():
    done = CliRunner().invoke(APP, ["ask", "--set", "nonsense=1"])
    assert done.output == "" and isinstance(done.exception, UserError)
    with pytest.raises(UserError, match="nonsense"):
        raise done.exception
