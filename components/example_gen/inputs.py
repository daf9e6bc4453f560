"""A source's files as TFX's file-based driver sees them: one named pattern each."""

from collections.abc import Iterable
from functools import reduce
from itertools import chain
from operator import xor

import tensorflow as tf
from google.protobuf import json_format
from tfx.components.example_gen import input_processor
from tfx.proto import example_gen_pb2, range_config_pb2

from components.example_gen.config import SplitConfig
from components.example_gen.read.find import matching
from components.example_gen.read.spans import Window, check_specs, find_window, names_span
from components.examples.paths import literal
from schemas.errors import UserError
from schemas.source import Source

_BETWEEN_SPANS = "\n"
# What Examples hold, and in which units: a new number keeps those of an older version, which are
# read in another way, from being taken from the cache.
FORM = 2


def input_config(source: Source, split: SplitConfig) -> example_gen_pb2.Input:
    """The patterns of all files that are read, so that a change in any of them is seen.

    Raises:
      UserError: a pattern names its span by halves, or a predefined split has spans.
    """
    patterns = source.patterns()
    if split.kind == "predefined":
        patterns["ratings"] = [literal(str(split.train)), literal(str(split.eval))]
    for pattern in chain(*patterns.values()):
        check_specs(pattern)
        if split.kind == "predefined" and names_span(pattern):
            raise UserError(
                f"{pattern}: split.kind=predefined names one file for train and one for eval, so "
                "it has no spans; take another split."
            )
    return example_gen_pb2.Input(
        splits=[
            example_gen_pb2.Input.Split(name=f"{table}-{index}", pattern=pattern)
            for table, globs in patterns.items()
            for index, pattern in enumerate(globs)
        ]
    )


class SpanWindowProcessor(input_processor.InputProcessor):
    """Finds the newest spans of a source's files; the fingerprint is over all of their files.

    It stands in for TFX's processor, which reads one span, wants every pattern to name it, and
    fails where an alternative pattern matches nothing. `num_spans` of the rolling range is how many
    spans are read.
    """

    def __init__(
        self,
        input_base_uri: str,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: range_config_pb2.RangeConfig | None = None,
    ) -> None:
        super().__init__(splits)
        self._base, self._length = input_base_uri, 1
        if range_config is not None:
            self._length = range_config.rolling_range.num_spans
        self._window = Window([], {})

    def resolve_span_and_version(self) -> tuple[int, int | None]:
        """Looks up the window; returns its newest span, or 0 without spans, and no version."""
        tables: dict[str, list[str]] = {}
        for split in self._splits:
            tables.setdefault(_table(split), []).append(split.pattern)
        self._window = find_window(self._base, tables, self._length)
        return max(self._window.spans, default=0), None

    def get_latest_span(self) -> int:
        """The newest span there is."""
        return self.resolve_span_and_version()[0]

    def get_pattern_for_span_version(self, pattern: str, span: int, version: int | None) -> str:
        """The globs of the window's spans, a line each: what `resolved` reads."""
        return _BETWEEN_SPANS.join(self._window.filled[pattern])

    def get_input_fingerprint(self, span: int, version: int | None) -> str:
        """Number, sizes and times of change of the files of every span, and the Examples' form."""
        fingerprints = [
            _fingerprint(split.name, matching(self._base, glob))
            for split in self._splits
            for glob in filter(None, self._window.filled[split.pattern])
        ]
        return "\n".join([*fingerprints, f"form:{FORM}"])


def _fingerprint(name: str, paths: list[str]) -> str:
    """What TFX makes of files, which takes special characters in their folder for a pattern."""
    stats = [tf.io.gfile.stat(path) for path in paths]
    times = [stat.mtime_nsec // 10**9 for stat in stats]
    return (
        f"split:{name},num_files:{len(paths)},total_bytes:{sum(stat.length for stat in stats)},"
        f"xor_checksum:{reduce(xor, times, 0)},sum_checksum:{sum(times)}"
    )


def input_of(text: str) -> example_gen_pb2.Input:
    """The patterns, as the node's properties hold them."""
    found = example_gen_pb2.Input()
    json_format.Parse(text, found)
    return found


def resolved(source: Source, files: example_gen_pb2.Input) -> list[Source]:
    """The source as it reads in each span of the window, the oldest first; once without spans."""
    patterns: dict[str, list[list[str]]] = {}
    for entry in files.splits:
        patterns.setdefault(_table(entry), []).append(entry.pattern.split(_BETWEEN_SPANS))
    spans = max(len(globs) for alternatives in patterns.values() for globs in alternatives)
    tables = {name: getattr(source, name) for name in source.tables()}
    return [
        source.model_copy(
            update={
                name: table.model_copy(update={"files": _files(patterns[name], span)})
                for name, table in tables.items()
            }
        )
        for span in range(spans)
    ]


def _files(alternatives: list[list[str]], span: int) -> list[str]:
    """The globs of one span; those of a pattern without spans are the same in all."""
    globs = (each[span if len(each) > 1 else 0] for each in alternatives)
    return list(filter(None, globs))


def _table(split: example_gen_pb2.Input.Split) -> str:
    return str(split.name.rpartition("-")[0])
