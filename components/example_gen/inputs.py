"""A source's files as TFX's file-based driver sees them: one named pattern each."""

from __future__ import annotations

import re

from tfx.proto import example_gen_pb2

from components.example_gen.config import SplitConfig
from schemas.errors import UserError
from schemas.source import Source

_SPEC = re.compile(r"\{(SPAN|VERSION)(:\d+)?\}|\{(YYYY|MM|DD)\}")


def input_config(source: Source, split: SplitConfig) -> example_gen_pb2.Input:
    """Every pattern whose files' bytes matter, so that a change in any of them is seen.

    Raises:
        UserError: only some of the patterns hold {SPAN} or a date, which the driver cannot resolve.
    """
    patterns = {
        f"{table}-{index}": pattern
        for table, globs in _patterns(source, split).items()
        for index, pattern in enumerate(globs)
    }
    kinds = {tuple(sorted(_SPEC.findall(pattern))) for pattern in patterns.values()}
    if len(kinds) > 1:
        raise UserError(
            f"Either all file patterns of the source {source.name} hold the same {{SPAN}} or date, "
            "or none does: put the files of one span into a folder named by it."
        )
    return example_gen_pb2.Input(
        splits=[
            example_gen_pb2.Input.Split(name=name, pattern=pattern)
            for name, pattern in patterns.items()
        ]
    )


def resolved(
    source: Source, split: SplitConfig, files: example_gen_pb2.Input
) -> tuple[Source, SplitConfig]:
    """The source and the split with the patterns that the driver has resolved."""
    patterns: dict[str, list[str]] = {}
    for entry in files.splits:
        patterns.setdefault(entry.name.rpartition("-")[0], []).append(entry.pattern)
    if split.kind == "predefined":
        train, held_out = patterns.pop("ratings")
        split = split.model_copy(update={"train": train, "eval": held_out})
    tables = source.model_dump()
    for name, globs in patterns.items():
        tables[name]["files"] = globs
    return Source.model_validate(tables), split


def _patterns(source: Source, split: SplitConfig) -> dict[str, list[str]]:
    patterns = source.patterns()
    if split.kind == "predefined":
        patterns["ratings"] = [str(split.train), str(split.eval)]
    if any(_SPEC.search(pattern) for globs in patterns.values() for pattern in globs):
        # The driver refuses a pattern of a span that has no file, so only what was declared counts.
        declared = {name: table.files for name, table in source.tables().items()}
        patterns = {name: declared.get(name, globs) for name, globs in patterns.items()}
        if split.kind == "predefined":
            patterns["ratings"] = [str(split.train), str(split.eval)]
    return patterns
