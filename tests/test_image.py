"""What can be known of the container images where none can be built."""

import fnmatch
import importlib.metadata
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.vertex.check.settings import image_findings
from pipeline.vertex.dry_run.environment import IMAGE_ENVIRONMENT
from pipeline.vertex.lock import locked
from schemas.stack import STACKS, Stack, installed

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"components", "data", "pipeline", "schemas", "serving"}


OF_STACKS = pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)


def lines(stack: Stack | None = None) -> list[str]:
    """The Dockerfile's instructions, each on one line; as a stack has them, if one is given."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    bare = [line for line in text.splitlines() if not line.startswith("#")]
    whole = "\n".join(bare).replace("\\\n", "").splitlines()
    named = [line.replace("${STACK}", stack.name) if stack else line for line in whole]
    return [line for line in named if line.strip()]


def version(name: str, stack: Stack) -> str:
    (pin,) = (pin for pin in locked(ROOT / stack.lock) if pin.name == name)
    return str(pin.specifier).removeprefix("==")


def stages(stack: Stack = STACKS[-1]) -> dict[str, list[str]]:
    """The instructions of each stage, its FROM first."""
    found: dict[str, list[str]] = {}
    for line in itertools.dropwhile(lambda line: not line.startswith("FROM "), lines(stack)):
        if line.startswith("FROM "):
            current = found.setdefault(line.split(" AS ")[1], [])
        current.append(line)
    return found


def copied() -> set[str]:
    """What is copied from the checkout, for either stack."""
    every = (line for stack in STACKS for line in lines(stack))
    words = [line.split()[1:-1] for line in every if line.startswith("COPY ")]
    return {name for line in words for name in line if not line[0].startswith("--from")}


def variables(stage: str) -> dict[str, str]:
    set_by = [line.removeprefix("ENV ") for line in stages()[stage] if line.startswith("ENV ")]
    pairs = (word.partition("=") for line in set_by for word in shlex.split(line))
    return {name: value for name, _, value in pairs}


def arguments() -> dict[str, str]:
    """The build arguments before the first stage, which name the base images."""
    before = itertools.takewhile(lambda line: not line.startswith("FROM "), lines())
    pairs = (line.removeprefix("ARG ").partition("=") for line in before)
    return {name: value for name, _, value in pairs}


def ignored(name: str) -> bool:
    """What .dockerignore says: the last pattern that matches decides."""
    verdict = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if not line.startswith("#") and fnmatch.fnmatch(name, pattern):
            verdict = not line.startswith("!")
    return verdict


def argument(stack: Stack, name: str) -> str:
    """The build argument of this name for the stack's Python."""
    return f"{name}{stack.image_python.replace('.', '')}"


@OF_STACKS
def test_boot_file_is_of_the_locked_beam(stack: Stack) -> None:
    own = argument(stack, "BEAM")
    assert stages(stack)["beam"] == [f"FROM beam-{stack.name} AS beam"]
    assert stages()[f"beam-{stack.name}"] == [f"FROM ${{{own}}} AS beam-{stack.name}"]
    named = arguments()[own].partition("@")[0]
    locked_beam = version("apache-beam", stack)
    assert named == f"apache/beam_python{stack.image_python}_sdk:{locked_beam}"
    assert "COPY --from=beam /opt/apache/beam /opt/apache/beam" in stages()["base"]
    assert 'ENTRYPOINT ["/usr/local/bin/entrypoint"]' in stages()["base"]


def test_base_images_are_arguments_with_a_tag_or_digest_that_stays() -> None:
    bases = {name: image for name, image in arguments().items() if name != "STACK"}
    assert arguments()["STACK"] == STACKS[-1].name
    spec = {"deploymentSpec": {"executors": {
        name: {"container": {"image": image}} for name, image in bases.items()
    }}}  # fmt: skip
    assert list(image_findings(spec)) == []
    for name, (first, *_) in stages().items():
        base = first.split()[1]
        assert base in {f"${{{one}}}" for one in bases} or base in stages(), name


@pytest.mark.parametrize("stage", stages())
def test_stages_keep_to_the_rules(stage: str) -> None:
    for line in stages()[stage]:
        word = line.split()[0]
        assert word in {"ARG", "FROM", "RUN", "COPY", "ENV", "WORKDIR", "ENTRYPOINT", "CMD", "USER",
                        "EXPOSE"}, line  # fmt: skip
        if "apt-get install" in line:
            assert "--no-install-recommends" in line and "rm -rf /var/lib/apt/lists" in line
        if "pip install" in line:
            assert line.count("pip install") == line.count("--no-deps"), line
        if word in ("ENTRYPOINT", "CMD"):  # else a shell would stand between, and take SIGTERM
            assert line.split(maxsplit=1)[1].startswith("["), line
    assert not re.search(r"(?i)token|password|secret", "\n".join(stages()[stage]))


BOOT = ["--id=1-1", "--logging_endpoint=h:1", "--provision_endpoint=h:2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (BOOT, f"boot {' '.join(BOOT)}"),
        (["--worker_pool"], "boot --worker_pool"),
        (["greenlight", "serve", "--port", "80"], "greenlight serve --port 80"),
        (
            ["greenlight", "recommend", "--liked", "two words"],
            "greenlight recommend --liked two words",
        ),
        ([], "greenlight --help"),
        (["sh", "-c", "exit 7"], 7),
    ],
)
def test_the_entry_point_serves_beam_s_workers_and_commands(
    words: list[str], said: str | int, tmp_path: Path
) -> None:
    """The script itself; stubs stand for Beam's boot file and the console script."""
    for name in ("boot", "greenlight"):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        stub.chmod(0o755)
    script = ROOT / "deploy" / "entrypoint"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert text.count("/opt/apache/beam/boot") == 1
    copy = tmp_path / "entrypoint"
    copy.write_text(text.replace("/opt/apache/beam/boot", f"{tmp_path}/boot"))
    done = subprocess.run(
        ["sh", str(copy), *words],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True,
    )  # fmt: skip
    assert said == (done.returncode or done.stdout.strip())


@OF_STACKS
def test_every_python_is_the_stack_s(stack: Stack) -> None:
    named = {name: re.findall(r"python_?:?(3\.\d+)", image) for name, image in arguments().items()}
    own = {name for name, versions in named.items() if versions == [stack.image_python]}
    assert own == {argument(stack, "PYTHON"), argument(stack, "BEAM")}
    assert arguments()[argument(stack, "PYTHON")].startswith(f"python:{stack.image_python}-")
    assert stages()[f"python-{stack.name}"] == [
        f"FROM ${{{argument(stack, 'PYTHON')}}} AS python-{stack.name}"
    ]
    written = [line for lines in stages(stack).values() for line in lines]
    assert not re.findall(r"python3\.\d", "\n".join(written))


def test_copied_paths_exist_and_are_not_ignored() -> None:
    assert copied() >= {*PACKAGES, "setup.py", "pyproject.toml", *(stack.lock for stack in STACKS)}
    for name in copied():
        name = name.removeprefix("./")
        assert (ROOT / name).exists(), name
        assert not ignored(name.partition("/")[0]), name


def test_nothing_else_is_sent_to_the_builder() -> None:
    sent = {name.removeprefix("./").partition("/")[0] for name in copied()}
    assert {path.name for path in ROOT.iterdir() if not ignored(path.name)} == sent
    assert ignored("__pycache__")


@OF_STACKS
def test_stages_build_on_what_is_defined_before_them(stack: Stack) -> None:
    names = list(stages(stack))
    for place, (name, instructions) in enumerate(stages(stack).items()):
        needed = {re.split(r"[ =]", line)[2] for line in instructions if "--from=" in line}
        base = instructions[0].split()[1]
        if base in names:
            needed.add(base)
        assert needed <= set(names[:place]), name
    assert names[-1] == "cpu"  # what is built where no target is named


def test_the_dry_run_has_the_image_s_variables() -> None:
    assert IMAGE_ENVIRONMENT.items() <= variables("base").items()


def test_cuda_is_what_the_installed_tensorflow_asks_for() -> None:
    asked = map(Requirement, importlib.metadata.requires("tensorflow") or [])
    cuda = {
        one.name: one.specifier
        for one in asked
        if one.marker and one.marker.evaluate({"extra": "and-cuda"}) and "nvidia" in one.name
    }
    lock = ROOT / f"requirements-gpu-{installed().name}.lock"
    pins = {pin.name: str(pin.specifier).removeprefix("==") for pin in locked(lock)}
    assert set(pins) == set(cuda)
    assert [name for name, asked in cuda.items() if not asked.contains(pins[name])] == []


@OF_STACKS
def test_the_gpu_image_finds_every_cuda_library(stack: Stack) -> None:
    """nvcc brings programs, not libraries; every other package has its folder on the path."""
    pins = locked(ROOT / f"requirements-gpu-{stack.name}.lock")
    names = {pin.name.removeprefix("nvidia-").removesuffix("-cu12") for pin in pins}
    path = variables("gpu")["LD_LIBRARY_PATH"].split(":")
    folders = {part.split("/")[1].replace("_", "-") for part in path if part.startswith("$CUDA/")}
    assert folders == names - {"cuda-nvcc"}


def test_cloud_build_builds_and_pushes_every_target() -> None:
    build = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text(encoding="utf-8"))
    tags = []
    for step in build["steps"]:
        command, target, stack, tag, context = step["args"]
        assert (command, stack, context) == ("build", "--build-arg=STACK=${_STACK}", ".")
        assert target.removeprefix("--target=") in stages()
        tags.append(tag.removeprefix("--tag="))
    assert tags == build["images"]
    assert [tag.rpartition("/")[2].partition(":")[0] for tag in tags] == ["cpu", "gpu", "serving"]
    assert all(tag.endswith(":${_STACK}-${_TAG}") for tag in tags)  # so that a job can name its own
    assert build["substitutions"]["_STACK"] == arguments()["STACK"]
    # An account of one's own may write no log to the bucket that is the default.
    assert build["serviceAccount"].endswith("@${PROJECT_ID}.iam.gserviceaccount.com")
    assert build["options"]["logging"] == "CLOUD_LOGGING_ONLY"
    used = set(re.findall(r"\$\{(_\w+)\}", str(build["images"]) + str(build["substitutions"])))
    assert used == set(build["substitutions"])


@pytest.mark.parametrize(
    ("runner", "command"), [("local_runner", "run"), ("kubeflow_v2_runner", "vertex compile")]
)
def test_runners_are_where_tfx_has_them(
    runner: str, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import runpy

    monkeypatch.setattr(sys, "argv", [f"{runner}.py", "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(ROOT / f"{runner}.py"), run_name="__main__")
    assert not caught.value.code
    assert f"{runner}.py {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stage", "parts"), [("cpu", [""]), ("gpu", ["", "gpu-"]), ("serving", ["serving-"])]
)
def test_an_image_says_what_it_holds(stage: str, parts: list[str]) -> None:
    """As CycloneDX, by the same script and locks that its build names."""
    of, folder = installed(), "/opt/greenlight"
    locks = [f"requirements-{part}{of.name}.lock" for part in parts]
    written = f"python sbom.py {' '.join(locks)} >{folder}/sbom.json"
    (copied_from,) = (
        re.split(r"[ =]", line)[2] for line in stages(of)[stage] if line.endswith(f" {folder}")
    )
    built = [*stages(of)[copied_from], *stages(of)["build"]]
    assert any(written in line for line in built)
    command = [
        sys.executable,
        str(ROOT / "scripts" / "sbom.py"),
        *(str(ROOT / lock) for lock in locks),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    bill = json.loads(run.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    held = {one["purl"] for one in bill["components"]}
    pins = [pin for lock in locks for pin in locked(ROOT / lock)]
    assert held == {
        f"pkg:pypi/{canonicalize_name(pin.name)}@{str(pin.specifier).removeprefix('==')}"
        for pin in pins
    }


def test_every_file_that_an_image_installs_has_a_locked_hash() -> None:
    """But for the project's own code, which is copied in."""
    for line in lines():
        for command in re.findall(r"pip install [^&>]*", line):
            assert "--require-hashes" in command or command.split()[-1] == ".", command
