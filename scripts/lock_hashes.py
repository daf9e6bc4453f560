"""Writes beside each pin of the locks the SHA-256 of all files that the index has of it.

pip then installs nothing else. The pins stay as they are: this is the last step of a change of one.
It needs uv (https://docs.astral.sh/uv): `make lock`.
"""

import re
import subprocess
import sys
from pathlib import Path

# The Python that a lock is for, the oldest where there are two.
LOCKS = {
    "requirements-tfx1.16.lock": "3.10",
    "requirements-gpu-tfx1.16.lock": "3.10",
    "requirements-serving-tfx1.16.lock": "3.10",
    "requirements-tfx1.21.lock": "3.12",
    "requirements-gpu-tfx1.21.lock": "3.12",
    "requirements-serving-tfx1.21.lock": "3.12",
}
_HASH = re.compile(r"\s*\\?\s*--hash=(sha256:[0-9a-f]{64})")
# No configuration: the project's own replaces the pin of pyarrow.
_UV = ("uv", "pip", "compile", "-q", "--no-config", "--no-deps", "--universal", "--no-annotate",
       "--no-header", "--generate-hashes", "-", "--python-version")  # fmt: skip


def main() -> None:
    """Rewrites all locks."""
    for name, python in LOCKS.items():
        path = Path(__file__).resolve().parents[1] / name
        lines = _whole_lines(path.read_text(encoding="utf-8"))
        pins = "\n".join(_pin(line) for line in lines if not line.startswith("#"))
        hashes = _hashes(pins, python)
        written = [line if line.startswith("#") else _hashed(_pin(line), hashes) for line in lines]
        path.write_text("\n".join([*written, ""]), encoding="utf-8")


def _whole_lines(text: str) -> list[str]:
    return [line for line in text.replace("\\\n", "").splitlines() if line.strip()]


def _pin(line: str) -> str:
    return line.partition("--hash=")[0].rstrip()


def _name(pin: str) -> str:
    """`name==version`, without a marker."""
    return pin.partition(";")[0].strip()


def _hashes(pins: str, python: str) -> dict[str, list[str]]:
    """The hashes of each `name==version`, as the index says."""
    command = [*_UV, python]
    run = subprocess.run(command, input=pins, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr)
    return {_name(_pin(line)): _HASH.findall(line) for line in _whole_lines(run.stdout)}


def _hashed(pin: str, hashes: dict[str, list[str]]) -> str:
    known = sorted(hashes[_name(pin)])
    return " \\\n".join([pin, *(f"    --hash={one}" for one in known)])


if __name__ == "__main__":
    main()
