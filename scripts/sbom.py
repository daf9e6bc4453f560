"""Says what an image holds of Python packages: a lock as CycloneDX 1.5 JSON on standard output.

`python scripts/sbom.py requirements-tfx1.16.lock...`; the same locks give the same bytes.
"""

import json
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def bill(locks: list[Path]) -> dict[str, Any]:
    """The bill of materials of some locks, for the Python that runs.

    Raises:
      OSError: a lock cannot be read.
    """
    pins = {canonicalize_name(pin.name): pin for lock in locks for pin in _pins(lock)}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "greenlight"}},
        "components": [_component(name, pins[name]) for name in sorted(pins)],
    }


def _pins(lock: Path) -> list[Requirement]:
    lines = lock.read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    written = [line.partition("--hash=")[0] for line in lines if not line.startswith("#")]
    pins = [Requirement(line.strip()) for line in written if line.strip()]
    return [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]


def _component(name: str, pin: Requirement) -> dict[str, str]:
    version = str(pin.specifier).removeprefix("==")
    purl = f"pkg:pypi/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    print(json.dumps(bill([Path(name) for name in sys.argv[1:]]), indent=1))
