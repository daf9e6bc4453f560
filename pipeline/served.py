"""Whether what a run says it pushed is what the folder of served versions holds."""

from collections.abc import Sequence
from pathlib import Path

from components.pusher import digests, push
from pipeline.metadata import Metadata, NodeRun
from schemas.artifacts import Node
from schemas.manifest import GRAPH_FILE, fault


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
    wanted = digests(str(model)).items()
    versions = [path for path in serving.glob("*") if path.name.isdecimal()]
    return any(fault(path) is None and wanted <= digests(str(path)).items() for path in versions)
