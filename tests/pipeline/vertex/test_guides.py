"""Every command and every YAML file of the cloud guides is read by what a user would give it to."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pipeline.cli import app
from pipeline.config import Config, load_config
from pipeline.vertex.check.settings import image_findings, setting_findings
from tests.test_image import stages

ROOT = Path(__file__).parents[3]
GUIDES = ("docs/vertex.md", "docs/submitting.md", "docs/serving.md", "docs/continuous.md")
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def blocks(guide: str, language: str) -> list[str]:
    text = (ROOT / guide).read_text(encoding="utf-8")
    return [content for kind, content in BLOCK.findall(text) if kind == language]


def commands(program: str) -> list[tuple[str, str]]:
    """Every line of the guides that runs a program, with continued lines joined."""
    found = []
    for guide in GUIDES:
        for block in blocks(guide, ""):
            lines = block.replace("\\\n", " ").splitlines()
            found += [(guide, line) for line in lines if line.split()[:1] == [program]]
    return found


def spelled(line: str) -> list[str]:
    """The words of a command; what stands in brackets is given as well."""
    return shlex.split(re.sub(r"\[(-[^\]]*)\]", r"\1", line), comments=True)


def parse(words: list[str]) -> str:
    """Lets the command line read a command without running it; gives the command's name."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("greenlight", list(words))
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            break
        _, command, rest = command.resolve_command(context, rest)
        context = command.make_context(command.name, rest, parent=context)
    assert not context.args
    return str(context.command_path)


@pytest.mark.parametrize(("guide", "line"), commands("greenlight"))
def test_a_command_is_one(guide: str, line: str) -> None:
    assert parse(spelled(line)[1:]).startswith("greenlight ")


@pytest.mark.parametrize(
    "words", [["vertex", "submit", "--wait=x"], ["vertex", "sumbit"], ["kfp", "submit"],
              ["vertex", "schedule", "pause"], ["vertex", "schedule", "--crom", "x"]]
)  # fmt: skip
def test_what_is_none_is_not_read(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"(?i)option|command|missing|take"):
        parse(words)


def configurations() -> list[tuple[str, str]]:
    """The guides' files of settings, with their placeholders filled in as the guides say."""
    found = []
    for guide in GUIDES[:2]:
        for block in blocks(guide, "yaml"):
            text = block.replace("gs://BUCKET", "gs://my-bucket").replace("PROJECT", "my-project")
            found.append((guide, text))
    return found


@pytest.mark.parametrize(("guide", "text"), configurations())
def test_a_configuration_would_be_submitted(guide: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "cloud.yaml"
    (tmp_path / "mine.yaml").write_text(
        "scale: [1, 5]\nratings: {files: r.csv, columns: {user_id: u, movie_id: m, rating: r}}\n"
    )
    path.write_text(text.replace("mine.yaml", f"{tmp_path}/mine.yaml"))
    config = load_config(str(path), [])
    assert setting_findings(config.vertex) == []
    container = {"container": {"image": config.vertex.image}}
    assert list(image_findings({"deploymentSpec": {"executors": {"a": container}}})) == []
    assert config.vertex.pipeline_root and config.vertex.job.service_account


def test_settings_in_tables_are_settings() -> None:
    """Each `vertex.key` and `vertex.key=value` that a guide names."""
    text = "".join((ROOT / guide).read_text(encoding="utf-8") for guide in GUIDES)
    named = set(re.findall(r"`(vertex\.[a-z_.]+)`", text)) - {"vertex.yaml"}
    for setting in re.findall(r"`(vertex\.[\w.]+=[^`]+)`", text):
        load_config(None, [setting.replace("NODE", "Evaluator").replace("NAME", "films")])
    for key in named:
        model: Any = Config
        for part in key.split("."):
            assert part in model.model_fields, key
            model = model.model_fields[part].annotation


def gcloud() -> list[list[str]]:
    return [shlex.split(line) for _, line in commands("gcloud")]


def test_every_account_that_is_made_has_a_role_and_is_used() -> None:
    text = (ROOT / "docs/vertex.md").read_text(encoding="utf-8").replace("\\\n", " ")
    text = text.replace("$ACCOUNT", "greenlight@$PROJECT.iam.gserviceaccount.com")
    made = re.findall(r"gcloud iam service-accounts create ([\w-]+)", text)
    assert made == ["greenlight", "greenlight-build"]
    for name in made:
        granted = (
            rf"--member=serviceAccount:{name}@\$PROJECT.iam.gserviceaccount.com +--role=roles/"
        )
        assert re.search(granted, text), name
        assert re.search(
            rf"{name}@\S+ +--member=user:\S+ --role=roles/iam.serviceAccountUser", text
        )
    (config,) = (yaml.safe_load(block) for block in blocks("docs/vertex.md", "yaml"))
    assert config["vertex"]["job"]["service_account"].startswith("greenlight@")
    build = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text(encoding="utf-8"))
    assert build["serviceAccount"].partition("serviceAccounts/")[2].startswith("greenlight-build@")


def test_variables_of_the_guide_are_set_before_they_are_used() -> None:
    script = "\n".join(blocks("docs/vertex.md", ""))
    known = set[str]()
    for line in script.splitlines():
        used = set(re.findall(r"\$(\w+)", line))
        set_here = set(re.findall(r"(?:^export | )(\w+)=", line)) if "export" in line else set()
        assert used <= known | set_here | {"role"}, line
        known |= set_here


def test_substitutions_of_a_build_are_those_of_its_file() -> None:
    build = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text(encoding="utf-8"))
    (words,) = (words for words in gcloud() if words[1:3] == ["builds", "submit"])
    given = next(word for word in words if word.startswith("--substitutions="))
    names = {pair.partition("=")[0] for pair in given.partition("=")[2].split(",")}
    assert names <= set(build["substitutions"])


def test_docker_builds_targets_that_there_are() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text += "".join((ROOT / guide).read_text(encoding="utf-8") for guide in GUIDES)
    named = set(re.findall(r"docker build [^\n`]*--target[= ](\w+)", text))
    assert named == {"cpu", "gpu", "serving"} and named <= set(stages())
    arguments = set(re.findall(r"--build-arg (\w+)=", text))
    assert arguments and all(f"ARG {name}=" in text for name in arguments)
