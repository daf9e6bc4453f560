"""The lock is complete, the environment is the lock, and a built wheel holds what it must."""

import email
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.vertex.lock import pinned
from schemas.stack import TFX_1_16, TFX_1_21, installed

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("greenlight", "pipeline", "components", "schemas", "serving", "data")
DATA = {f"data/ml-latest-small/{name}" for name in ("README.txt", "movies.csv", "ratings.csv")}

# Requirements that the lock goes against, each tried: "who needs": what.
EXCEPTIONS_311 = {
    # kfp 2.5 needs protobuf below 4; on 3.11 its pure Python form serves the others as well.
    ("ml-metadata", "protobuf"),
    ("tfx-bsl", "protobuf"),
    ("tensorflow-metadata", "protobuf"),
    ("tensorflow-transform", "protobuf"),
    ("tensorflow-model-analysis", "protobuf"),
    ("tensorflow-data-validation", "protobuf"),
    # Their newer releases need protobuf 4 or later.
    ("apache-beam", "envoy-data-plane"),
    ("google-api-core", "grpcio-status"),
    # 0.3 has no wheel for 3.11, so that a C++ compiler would be needed.
    ("tensorflow-data-validation", "pyfarmhash"),
}
EXCEPTIONS_1_21 = {
    # As on 3.11: it has no wheel.
    ("tensorflow-data-validation", "pyfarmhash"),
}
EXCEPTIONS_1_16 = {
    # TFMA's widgets for notebooks, which nothing here shows, would bring a web server for them: 41
    # packages, one of which takes most of the time in which a process imports Altair.
    ("widgetsnbextension", "notebook"),
}
# Stubs are read and never run; what the code uses of them holds for older Arrows too.
EXCEPTIONS = {("pyarrow-stubs", "pyarrow")}
EXCEPTIONS |= EXCEPTIONS_1_16 if installed() == TFX_1_16 else EXCEPTIONS_1_21
if installed() == TFX_1_16 and sys.version_info >= (3, 11):
    EXCEPTIONS |= EXCEPTIONS_311


def lock_lines() -> list[str]:
    return list(pinned(ROOT / installed().lock))


def locked() -> dict[str, str]:
    """Name to version, for the Python that runs."""
    pins = map(Requirement, lock_lines())
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def requirements(name: str, extra: str) -> list[Requirement]:
    needed = map(Requirement, importlib.metadata.requires(name) or [])
    return [one for one in needed if one.marker is None or one.marker.evaluate({"extra": extra})]


def direct() -> list[Requirement]:
    """What setup.py asks for, the dev extra included."""
    program = (
        "import runpy, setuptools; setuptools.setup = lambda **kw: "
        "print(*kw['install_requires'], *kw['extras_require']['dev'], sep='\\n'); "
        "runpy.run_path('setup.py')"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    needed = map(Requirement, run.stdout.splitlines())
    return [one for one in needed if one.marker is None or one.marker.evaluate()]


def walk(pins: dict[str, str]) -> tuple[set[str], set[tuple[str, str]]]:
    """Follows every requirement from setup.py on: (names reached, unmet (needer, needed))."""
    unmet: set[tuple[str, str]] = set()
    done: set[tuple[str, str]] = set()
    todo = [("greenlight", one) for one in direct()]
    while todo:
        needer, one = todo.pop()
        name = canonicalize_name(one.name)
        if name not in pins or not one.specifier.contains(pins[name], prereleases=True):
            unmet.add((needer, name))
        for extra in {"", *one.extras} if name in pins else ():
            if (name, extra) not in done:
                done.add((name, extra))
                todo += [(name, needed) for needed in requirements(name, extra)]
    return {name for name, _ in done}, unmet


def test_lock_holds_exact_versions_and_nothing_else() -> None:
    pattern = re.compile(r'[a-z0-9-]+==[0-9][\w.]*( ; python_version (<|>=) "3\.11")?')
    assert [line for line in lock_lines() if not pattern.fullmatch(line)] == []


@pytest.mark.parametrize("stack", ["tfx1.16", "tfx1.21"])
@pytest.mark.parametrize("part", ["", "gpu-", "serving-"])
def test_every_pin_has_hashes_of_its_files(part: str, stack: str) -> None:
    """Without one of them pip would install none of a lock; `make lock` writes them."""
    hashes = pinned(ROOT / f"requirements-{part}{stack}.lock")
    assert [pin for pin, own in hashes.items() if not own] == []
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for own in hashes.values() for one in own)


def test_pip_refuses_a_file_that_is_not_the_locked_one(tmp_path: Path) -> None:
    """As the set-up and the images call it, with a package that somebody replaced."""
    package = tmp_path / "idna-3.4-py3-none-any.whl"
    with zipfile.ZipFile(package, "w") as wheel:
        wheel.writestr("idna.py", "")
        wheel.writestr(
            "idna-3.4.dist-info/METADATA", "Metadata-Version: 2.1\nName: idna\nVersion: 3.4\n"
        )
        wheel.writestr("idna-3.4.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("idna-3.4.dist-info/RECORD", "")
    lock = tmp_path / "requirements.lock"
    for digest, status in (
        (sha256(b"other").hexdigest(), 1),
        (sha256(package.read_bytes()).hexdigest(), 0),
    ):
        lock.write_text(f"idna==3.4 \\\n    --hash=sha256:{digest}\n")
        places = ["--find-links", str(tmp_path), "--target", str(tmp_path / "site")]
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", *places]
        command += ["-r", str(lock)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == status, run.stderr
        assert status == 0 or "DO NOT MATCH THE HASHES" in run.stderr


def test_environment_is_the_lock() -> None:
    pins = locked()
    assert {name: importlib.metadata.version(name) for name in pins} == pins


def test_lock_meets_every_requirement_and_holds_no_strays() -> None:
    pins = locked()
    reached, unmet = walk(pins)
    assert unmet == EXCEPTIONS
    assert set(pins) - reached == set()


def test_libraries_import_together() -> None:
    import tensorflow_model_analysis
    import tensorflow_recommenders
    import tfx.v1 as tfx

    found = (tfx.__version__, tensorflow_model_analysis.__version__)
    assert found == {TFX_1_16: ("1.16.0", "0.47.1"), TFX_1_21: ("1.21.0", "0.52.0")}[installed()]
    assert tensorflow_recommenders.__version__ == "v0.7.7"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the checkout, so that nothing is left behind in it."""
    copy = tmp_path_factory.mktemp("wheel") / "checkout"
    skip = shutil.ignore_patterns(".*", "runs", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=skip)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(copy / "dist")]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(copy)], check=True)
    (built,) = (copy / "dist").iterdir()
    return built


def wanted() -> set[str]:
    """Every module, description, template and page, and the embedded data."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    for suffix in ("yaml", "pbtxt", "json"):
        files += (ROOT / "schemas").rglob(f"*.{suffix}")
    files += (ROOT / "serving" / "page").iterdir()
    files += (ROOT / "components").glob("*/templates/*")
    return {file.relative_to(ROOT).as_posix() for file in files} | DATA


def test_wheel_holds_what_is_needed_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == wanted()
    assert any(name.endswith("LICENSE") for name in names)


def test_wheel_describes_the_package_by_the_readme(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_all("Classifier") and metadata["Keywords"]
    description = metadata.get_payload(decode=True)
    assert isinstance(description, bytes)
    assert description.decode() == (ROOT / "README.md").read_text(encoding="utf-8")


def test_wheel_finds_its_data_with_no_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = "import data; print(*sorted(p.name for p in data.EMBEDDED.iterdir()))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == sorted(Path(name).name for name in DATA)


def test_the_packages_that_read_foreign_bytes_are_told_with_their_versions() -> None:
    page = (ROOT / "docs" / "stacks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z]+) \| ([\d.]+) \| ([\d.]+) \|", page, re.M)
    assert {"pyarrow", "protobuf", "orjson", "tensorflow"} <= {name for name, *_ in rows}
    for name, *told in rows:
        locks = [pinned(ROOT / stack.lock) for stack in (TFX_1_16, TFX_1_21)]
        found = [pin for lock in locks for pin in lock if pin.startswith(f"{name}==")]
        assert found == [f"{name}=={version}" for version in told]


@pytest.mark.parametrize("stack", ["tfx1.16", "tfx1.21"])
def test_missing_python_is_one_sentence(stack: str, tmp_path: Path) -> None:
    """A PATH on which python3 only prints an error, no pyenv, and nothing to download with."""
    fake = tmp_path / "python3"
    fake.write_text("#!/bin/sh\necho 'python3: command not found' >&2\nexit 127\n")
    fake.chmod(0o755)
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "find-python", tmp_path / "scripts")
    run = subprocess.run(
        ["/bin/sh", str(tmp_path / "scripts" / "find-python"), stack],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert "install" in run.stderr and "run make again" in run.stderr


@pytest.mark.parametrize(
    ("stack", "there", "chosen"),
    [
        ("tfx1.21", ["3.10", "3.11", "3.12", "3.13"], "3.12"),
        ("tfx1.21", ["3.10", "3.11", "3.13"], None),
        ("tfx1.16", ["3.11", "3.12"], "3.11"),
        ("tfx1.16", ["3.12", "3.13"], None),
    ],
)
def test_a_stack_takes_a_python_that_its_lock_is_for(
    stack: str, there: list[str], chosen: str | None, tmp_path: Path
) -> None:
    """By what each says it is, as the real ones do; without a C++ compiler."""
    for version in there:
        python = tmp_path / f"python{version}"
        python.write_text(f'#!/bin/sh\n[ "$2" = {version} ] && echo "$0"\n')
        python.chmod(0o755)
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "find-python", tmp_path / "scripts")
    run = subprocess.run(
        ["/bin/sh", str(tmp_path / "scripts" / "find-python"), stack],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    found = Path(run.stdout.strip()).name.removeprefix("python") or None
    assert (found, run.returncode) == (chosen, 0 if chosen else 2)


@pytest.mark.parametrize(
    ("glibc", "asked", "said"),
    [
        ("glibc 2.36", "", "Stack: tfx1.16, for tfx1.21 needs glibc 2.39 and here is 2.36."),
        ("glibc 2.38", "", "Stack: tfx1.16, for tfx1.21 needs glibc 2.39 and here is 2.38."),
        ("", "", "Stack: tfx1.16, for tfx1.21 needs glibc 2.39 and here is none."),
        ("glibc 2.39", "", "Stack: tfx1.21, the newest; GREENLIGHT_STACK=tfx1.16 chooses the"),
        ("glibc 2.41", "tfx1.16", "Stack: tfx1.16, as GREENLIGHT_STACK says."),
        ("glibc 2.41", "tfx1.21", "Stack: tfx1.21, as GREENLIGHT_STACK says."),
        ("glibc 2.36", "tfx1.21", "The stack tfx1.21 needs glibc 2.39 and here is 2.36: choose"),
        ("glibc 2.41", "tfx2", "GREENLIGHT_STACK is tfx2, but there are tfx1.16 and tfx1.21."),
    ],
)
def test_the_machine_decides_on_the_stack(
    glibc: str, asked: str, said: str, tmp_path: Path
) -> None:
    stub = tmp_path / "getconf"
    stub.write_text(f"#!/bin/sh\necho '{glibc}'\n")
    stub.chmod(0o755)
    run = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "choose-stack")],
        env={"PATH": str(tmp_path), "GREENLIGHT_STACK": asked}, capture_output=True, text=True,
    )  # fmt: skip
    if said.startswith("Stack"):
        chosen, why = run.stdout.splitlines()
        assert (run.returncode, run.stderr) == (0, "")
        assert f"Stack: {chosen}, " in why and why.startswith(said)
    else:
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
        assert run.stderr.startswith(said)
