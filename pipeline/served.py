"""Whether what a run says it pushed is what the folder of served versions holds."""

from collections.abc import Iterator, Mapping, Sequence
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
    return any(known_as(version, {0: model}) == 0 for version in newest_first(serving))


def newest_first(serving: Path) -> Iterator[Path]:
    """The whole versions in a folder of versions."""
    versions = [path for path in serving.glob("*") if path.name.isdecimal()]
    for version in sorted(versions, key=lambda path: int(path.name), reverse=True):
        if (version / GRAPH_FILE).is_file() and fault(version) is None:
            yield version


def known_as(version: Path, models: Mapping[int, Path]) -> int | None:
    """The first of some SavedModels that a version is, whatever else lies beside its files."""
    sizes = _sizes(version)
    alike = {key: model for key, model in models.items() if _sizes(model) <= sizes}
    held = digests(str(version)).items() if alike else {}.items()
    same = (key for key, model in alike.items() if digests(str(model)).items() <= held)
    return next(same, None)


def _sizes(folder: Path) -> set[tuple[Path, int]]:
    """Every file by its path in the folder, with its bytes: what is not alike need not be read."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {(path.relative_to(folder), path.stat().st_size) for path in files}
