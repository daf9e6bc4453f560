"""Whether what a run says it pushed is what the folder of served versions holds."""

import json
from collections.abc import Sequence
from pathlib import Path

from components.pusher import digests, push
from pipeline.metadata import Metadata, NodeRun
from schemas.artifacts import Node
from schemas.manifest import FILE, GRAPH_FILE, fault


def push_again(metadata: Metadata, runs: Sequence[NodeRun], serving: Path) -> tuple[str, ...]:
    """Pushes what the cache says was pushed, if no version is it and whole.

    Returns:
      What there is to say of it, in a sentence without its full stop; nothing if all was well.
    """
    pusher = next(run for run in runs if run.node == Node.PUSHER)
    kept = Path(str(metadata.output(pusher, "pushed_model")))
    if pusher.state != "cached" or not (kept / GRAPH_FILE).exists() or is_served(kept, serving):
        return ()
    lost = f"The model pushed by an earlier run is not in {serving} any more, or not whole"
    return (f"{lost}: it is pushed again, as version {push(str(kept), str(serving))}",)


def is_served(model: Path, serving: Path) -> bool:
    """Whether a whole version in a folder of versions is this SavedModel."""
    wanted = digests(str(model))
    return any(
        _digests_of(path) == wanted and not fault(path.parent) for path in _manifests(serving)
    )


def _manifests(serving: Path) -> list[Path]:
    return [path for path in serving.glob(f"*/{FILE}") if path.parent.name.isdecimal()]


def _digests_of(manifest: Path) -> object:
    try:
        return json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
    except (ValueError, TypeError, KeyError):
        return None
