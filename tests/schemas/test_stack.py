"""What the stack says of itself is true of what is installed."""

import importlib.metadata
from pathlib import Path

import pytest

from pipeline.vertex.lock import locked
from schemas.stack import STACKS, TFX_1_16, TFX_1_21, Stack, installed, named_in

ROOT = Path(__file__).resolve().parents[2]


def versions(stack: Stack) -> dict[str, str]:
    pins = locked(ROOT / stack.lock)
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in pins}


@pytest.mark.parametrize("stack", [TFX_1_16, TFX_1_21])
def test_a_lock_is_of_the_stack_that_names_it(stack: Stack) -> None:
    pins = versions(stack)
    assert stack.name == f"tfx{pins['tfx'].removesuffix('.0')}"
    assert ("scann" in pins) == stack.has_scann
    # The release that closed CVE-2023-47248.
    assert (int(pins["pyarrow"].split(".")[0]) < 14) == stack.arrow_unpickles


def test_the_installed_stack_is_told_by_its_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.metadata.version("tensorflow")
    assert versions(installed())["tensorflow"] == found
    for version, stack in (("2.16.2", TFX_1_16), ("2.21.0", TFX_1_21), ("3.0.0", TFX_1_21)):
        monkeypatch.setattr(importlib.metadata, "version", {"tensorflow": version}.get)
        assert installed.__wrapped__() == stack


def test_the_server_s_image_has_a_stack_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has TensorFlow for the CPU alone, a package of another name."""

    def version(name: str) -> str:
        if name != "tensorflow-cpu":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.21.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert installed.__wrapped__() == TFX_1_21


def test_an_image_s_tag_tells_of_its_stack() -> None:
    assert [named_in(f"host:80/tfx1.16/cpu:{stack.name}-1") for stack in STACKS] == [
        stack.name for stack in STACKS
    ]
    digest = "sha256:" + 64 * "0"
    assert named_in(f"cpu:tfx1.16-1@{digest}") == "tfx1.16"
    assert [named_in(f"tfx1.16/cpu{tag}") for tag in ("", ":1", f"@{digest}")] == [None] * 3
