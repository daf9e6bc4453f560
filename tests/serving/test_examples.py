"""The examples of the docs, pasted: each is answered by a real server."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.conftest import ROOT

PAGE = Path(ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## The friendly routes by example")[1].split("\n## ")[0]
BLOCKS = dict(re.findall(r"^```(\w*)\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL))
COMMANDS = BLOCKS[""].splitlines()
ADDRESS = "http://127.0.0.1:8501"


def test_every_friendly_route_is_shown_in_each_language(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path in paths:
        route = path.split("{")[0].rstrip("/")
        assert any(f"{ADDRESS}{route}" in command for command in COMMANDS), path
        for language in ("python", "js"):
            assert f'"{route}"' in BLOCKS[language], (path, language)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_answered_as_it_stands(server, line):
    command = line.replace(ADDRESS, server.url).replace("curl ", "curl --fail-with-body -sS ")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


def test_the_python_prints_answers(server):
    program = BLOCKS["python"].replace(ADDRESS, server.url)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == BLOCKS["python"].count("print(") == 9
