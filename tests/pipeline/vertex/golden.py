"""The compiled graph as it was last agreed to: `python -m tests.pipeline.vertex.golden` writes it.

Long texts (settings, schemas) are left out: other tests hold them, and they change more often. So
are the versions of the stack that compiled it.
"""

from pathlib import Path
from typing import Any

import yaml

AGREED = Path(__file__).parent / "golden.yaml"
LONGEST = 100
VERSIONS = ("sdkVersion", "tfx_py_version", "tfx_version")


def shortened(content: Any) -> Any:
    """The same with every long text and version replaced."""
    if isinstance(content, dict):
        short = {key: shortened(value) for key, value in sorted(content.items())}
        return short | {key: "..." for key in VERSIONS if key in short}
    if isinstance(content, list):
        return [shortened(value) for value in content]
    return "..." if isinstance(content, str) and len(content) > LONGEST else content


def text(content: Any) -> str:
    return yaml.safe_dump(shortened(content), width=100)


def write() -> None:
    from pipeline.config import load_config
    from pipeline.vertex.compile import compile_job
    from tests.pipeline.vertex.conftest import RUN_ID, SETTINGS

    AGREED.write_text(text(compile_job(load_config(None, SETTINGS), RUN_ID)), encoding="utf-8")


if __name__ == "__main__":
    write()
