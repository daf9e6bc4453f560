"""Finds a source's files in the data directory."""

from collections.abc import Sequence

import tensorflow as tf

from components.example_gen.read.files import file_size
from components.examples.paths import literal
from schemas.errors import UserError
from schemas.source import Source


def find_files(source: Source, data_dir: str) -> dict[str, list[str]]:
    """The files of each table of the source, sorted: those of the first glob that matches any.

    Raises:
      UserError: a table has no file in `data_dir`.
    """
    files = {}
    for name, table in source.tables().items():
        matches = (matching(data_dir, glob) for glob in table.patterns())
        files[name] = next((match for match in matches if match), [])
        if not files[name]:
            raise UserError(
                f"{data_dir} has no {' or '.join(table.files)}, where the source {source.name} "
                f"keeps its {name}: give the folder that holds it as the data directory."
            )
    return files


def find_files_of(spans: Sequence[Source], data_dir: str) -> dict[str, list[str]]:
    """The files of each table over some spans of one source, the oldest span's first.

    Raises:
      UserError: a table has no file in `data_dir`.
    """
    by_span = [find_files(span, data_dir) for span in spans]
    # A table that is not delivered by span is the same in all of them.
    return {
        name: list(dict.fromkeys(path for files in by_span for path in files[name]))
        for name in by_span[0]
    }


def matching(data_dir: str, glob: str) -> list[str]:
    """The files that the glob matches, sorted, but for what engines keep beside their parts.

    Those names begin with `_` or `.` and are matched by a wildcard alone: `.part-0.csv.crc`.
    """
    paths = sorted(tf.io.gfile.glob(f"{literal(data_dir)}/{glob}"))
    if glob.rsplit("/", 1)[-1][:1] not in tuple("*?["):
        return paths
    # An empty one, such as _SUCCESS, is told with the other empty files.
    return [p for p in paths if p.rsplit("/", 1)[-1][0] not in "_." or not file_size(p)]
