"""Every command of the documentation can be pasted: there is such a command, with such options."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from pipeline.cli import app

PAGES = (Path("README.md"), *sorted(Path("docs").glob("*.md")))
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """Lines of a page's blocks that begin with the command, those that they go on with joined."""
    blocks = "\n".join(BLOCK.findall(page.read_text(encoding="utf-8")))
    lines = blocks.replace("\\\n", " ").splitlines()
    return [line for line in lines if re.match(r"(\S*/)?greenlight ", line)]


COMMANDS = [(page.name, line) for page in PAGES for line in commands(page)]


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=lambda value: value[:60])
def test_a_command_of_the_docs_is_taken_as_it_stands(page: str, line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    assert program == "greenlight", "it is on the path after the README's first commands"
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="greenlight")
    while hasattr(command, "get_command") and words[0][0] != "-":
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no greenlight {name}"
        command = found
    assert command.make_context(command.name, words) is not None


def test_the_readme_puts_the_command_on_the_path_before_it_is_typed() -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    assert len(commands(Path("README.md"))) > 10
    assert readme.index("source .venv/bin/activate") < readme.index("\ngreenlight ")
