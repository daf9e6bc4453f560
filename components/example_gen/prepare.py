"""What is done before the graph runs: the small tables are read, and the large work is cut."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pyarrow as pa
import tensorflow as tf

from components.example_gen.config import SplitConfig
from components.example_gen.ipc import save_table
from components.example_gen.read.cells import CellCounts
from components.example_gen.read.files import file_size
from components.example_gen.read.packed import packing
from components.example_gen.read.problems import Problems
from components.example_gen.read.ranges import Range, plan_ranges
from components.example_gen.read.tables import read_movies, read_users
from schemas.features import POSTER
from schemas.source import Source

_PACKED = 4  # how much larger the text of a packed file is, about
_ROW_BYTES = 24  # of a rating as text, about


@dataclass(frozen=True)
class Sizes:
    """How much is done at once.

    range_bytes: of a rating file that one worker reads; the Examples do not depend on it.
    partition_bytes: of rating files whose users make a partition, and so a shard of each split.
    """

    range_bytes: int = 16 << 20
    partition_bytes: int = 24 << 20


DEFAULT_SIZES = Sizes()


class Tables(NamedTuple):
    """What was read of the movie and user tables, but for the tables themselves."""

    has_movies: bool
    has_users: bool
    problems: Problems
    cells: list[CellCounts]


def prepare_tables(
    source: Source, paths: Mapping[str, Sequence[str]], work: str, most_bad: float
) -> Tables:
    """Puts the movies and users where every worker finds them.

    Raises:
      UserError: as `read_movies`, or a column of a table cannot be read.
    """
    movies = read_movies(source, paths, most_bad)
    users = read_users(source, paths, most_bad)
    tf.io.gfile.makedirs(work)
    if movies is not None:
        posters = [POSTER] if source.has_posters else []
        columns = ["movie_id", "movie_title", *posters, *source.features.movies]
        save_table(movies.table.select(columns), f"{work}/movies.arrow")
        save_table(pa.table({"movie_id": movies.lost}), f"{work}/lost.arrow")
    if users is not None:
        save_table(users.table, f"{work}/users.arrow")
    beside = [table for table in (movies, users) if table]
    cells = [cells for table in beside for cells in table.cells]
    for each in cells:
        each.check(most_bad)
    problems = Problems().merge(*(table.problems for table in beside))
    return Tables(movies is not None, users is not None, problems, cells)


def plan_work(
    source: Source, split: SplitConfig, data_dir: str, paths: Sequence[str], range_bytes: int
) -> tuple[list[Range], int]:
    """The ranges of all rating files, those of eval last, and how many files come before them."""
    if split.kind != "predefined":
        ranges = plan_ranges(source, paths, range_bytes)
        return ranges, len({rng.path for rng in ranges})
    train, held_out = (
        plan_ranges(source, [os.path.join(data_dir, str(name))], range_bytes)  # noqa: PTH118
        for name in (split.train, split.eval)
    )
    return [*train, *(replace(rng, file_index=1) for rng in held_out)], 1


def count_partitions(ranges: Sequence[Range], partition_bytes: int) -> int:
    """How many partitions the ratings make: one for each `partition_bytes` of text, or one."""
    sizes: dict[str, int] = {}
    for rng in ranges:
        if rng.is_parquet:
            sizes[rng.path] = rng.end * _ROW_BYTES
        elif rng.path not in sizes:
            sizes[rng.path] = file_size(rng.path) * (_PACKED if packing(rng.path) else 1)
    return max(1, -(-sum(sizes.values()) // partition_bytes))
