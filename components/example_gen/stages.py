"""What the stages of the graph do with a range of text or a partition of users."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import TaggedOutput

from components.example_gen.config import SplitConfig
from components.example_gen.ipc import Spilled, load_table, spill, unspill
from components.example_gen.read.problems import Problems
from components.example_gen.read.ranges import Range
from components.example_gen.read.ratings import read_range, schema_of
from components.example_gen.split import plan, windows
from components.example_gen.split.forgotten import without
from components.example_gen.split.splits import EVAL, REFIT, SPLITS, TRAIN, UNJUDGED, to_refit
from components.example_gen.split.summary import summarise
from components.example_gen.split.timeline import (
    moment_starts,
    order_rows,
    shares_moment,
    user_numbers,
)
from components.example_gen.write import encode
from components.example_gen.write.shards import write_shard
from components.examples.hashing import hash_strings
from schemas import artifacts
from schemas.forgotten import NOBODY, Forgotten
from schemas.source import Source

_ROWS_AT_ONCE = 1 << 18  # read together before they are spread over the partitions
_EVENTS_AT_ONCE = 1 << 20  # ratings in the targets and histories that are encoded together


@dataclass(frozen=True)
class Job:
    """All that a worker has to know; it travels with the graph.

    Args:
      source: what the files hold.
      split: how ratings are split.
      partitions: how many groups of users, and so shards of each split.
      train_files: how many of the files, by file index, come before those of eval (predefined).
      examples_uri: where the splits go.
      work_uri: folder of `movies.arrow` (with `lost.arrow`) and `users.arrow` where the source
        has such tables; the graph leaves its reports there, and `rated.arrow` where there is
        no movies table.
      has_movies: whether there is a movies table.
      has_users: whether there is a users table.
      forgotten: whose ratings are left out.
    """

    source: Source
    split: SplitConfig
    partitions: int
    train_files: int
    examples_uri: str
    work_uri: str
    has_movies: bool
    has_users: bool
    forgotten: Forgotten = NOBODY

    def movies(self) -> pa.Table | None:
        """The movies table."""
        return load_table(f"{self.work_uri}/movies.arrow") if self.has_movies else None

    def lost_movies(self) -> pa.Array | None:
        """Ids of movies whose rows were dropped."""
        if not self.has_movies:
            return None
        return load_table(f"{self.work_uri}/lost.arrow")["movie_id"].combine_chunks()

    def users(self) -> pa.Table | None:
        """The users table."""
        return load_table(f"{self.work_uri}/users.arrow") if self.has_users else None


class Read(beam.DoFn):
    """Range -> (partition, its rows); tagged `report`: what the range had and lost."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        """Loads the ids that ratings may name."""
        movies = self._job.movies()
        self._known = None if movies is None else movies["movie_id"].combine_chunks()
        self._lost = self._job.lost_movies()

    def process(self, rng: Range) -> Iterator[Any]:
        """Streams one range."""
        if rng.file_index == rng.start == 0:
            # Every partition gets a shard of every split, so that no split is without a file.
            yield from ((number, None) for number in range(self._job.partitions))
        given = TRAIN if rng.file_index < self._job.train_files else EVAL
        nothing = pa.RecordBatch.from_pylist([], schema=schema_of(self._job.source))
        problems, lines, waiting = Problems(), 0, [nothing]
        for batch in read_range(self._job.source, rng, self._known, self._lost):
            problems, lines = problems.merge(batch.problems), lines + batch.lines
            waiting.append(batch.rows)
            if sum(rows.num_rows for rows in waiting) >= _ROWS_AT_ONCE:
                yield from self._spread(waiting, given)
                waiting = [nothing]
        yield from self._spread(waiting, given)
        report = {"path": rng.path, "start": rng.start, "lines": lines, **asdict(problems)}
        yield TaggedOutput("report", ("ranges", report))

    def _spread(self, batches: list[pa.RecordBatch], given: int) -> Iterator[tuple[int, Spilled]]:
        rows = pa.Table.from_batches(batches, schema_of(self._job.source))
        rows = rows.append_column("given", pa.array(np.full(len(rows), given, np.int8)))
        count = self._job.partitions
        owners = hash_strings(rows["user_id"].combine_chunks()) % np.uint64(count)
        rows = rows.take(pa.array(np.argsort(owners, kind="stable")))
        sizes = np.bincount(owners.astype(np.int64), minlength=count)
        begins, filled = np.cumsum(sizes) - sizes, np.flatnonzero(sizes)
        parts = (rows.slice(begins[number], sizes[number]) for number in filled)
        return zip(filled.tolist(), spill(parts, self._job.work_uri), strict=True)


class Order(beam.DoFn):
    """(partition, its rows in pieces) -> (partition, all in order); tagged `summary`."""

    def __init__(self, job: Job) -> None:
        self._config, self._job = job.split, job

    def setup(self) -> None:
        """Loads the ids that the users table knows."""
        users = self._job.users()
        self._users = None if users is None else users["user_id"].combine_chunks()

    def process(self, element: tuple[int, Iterable[Spilled | None]]) -> Iterator[Any]:
        """Sorts one partition and drops what was rated again."""
        partition, parts = element
        pieces = [unspill(part) for part in parts if part]
        ratings = schema_of(self._job.source).append(pa.field("given", pa.int8()))
        every = pa.concat_tables([ratings.empty_table(), *pieces])
        read = without(every, self._job.forgotten)
        kept, repeats = order_rows(read, self._config.seed)
        summary = summarise(read, kept, repeats, self._config, self._users)
        yield TaggedOutput("summary", replace(summary, forgotten=len(every) - len(read)))
        (place,) = spill([kept.drop(["order"]).combine_chunks()], self._job.work_uri)
        yield partition, place


class Write(beam.DoFn):
    """(partition, its rows) -> report, once the partition's shards are written."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        """Loads what is known of movies and users."""
        self._movies, self._users = self._job.movies(), self._job.users()

    def process(self, element: tuple[int, Spilled], decided: plan.Plan) -> Iterator[Any]:
        """Assigns splits and writes one shard of each, and one of the windows to refit on."""
        partition, rows = element[0], unspill(element[1])
        split = plan.assign(rows, decided, self._job.split)
        movies = rated_movies([rows]) if self._movies is None else self._movies
        features = encode.join(rows, movies, self._users, self._job.source.features)
        numbers, starts = user_numbers(rows["user_id"]), moment_starts(rows)
        shared = shares_moment(starts)
        place, counts = (partition, self._job.partitions), {}

        def write(name: str, pieces: Iterator[windows.Windows]) -> int:
            encoded = (encode.rating_examples(features, piece) for piece in pieces)
            return write_shard(self._job.examples_uri, name, *place, encoded)

        names = SPLITS if decided.judges == 1 else (*SPLITS, artifacts.UNJUDGED)
        for code, name in enumerate(names):
            inside = split == code
            counts[name] = {
                "ratings": int(inside.sum()),
                "examples": write(name, self._pieces(numbers, split, starts, code, decided)),
                "tied": int((inside & shared).sum()),
            }
        again = to_refit(numbers, split)
        write(artifacts.REFIT, self._pieces(numbers, again, starts, REFIT, decided))
        yield "shards", counts

    def _pieces(
        self, users: Any, split: Any, starts: Any, code: int, decided: plan.Plan
    ) -> Iterator[windows.Windows]:
        config, mode = self._job.split, decided.history
        if code in (TRAIN, UNJUDGED, REFIT):
            length = config.window_limit(mode)
            return windows.tiled_examples(users, split, code, length, _EVENTS_AT_ONCE)
        limit = config.history_limit(mode)
        return windows.target_examples(users, split, starts, code, limit, mode, _EVENTS_AT_ONCE)


def rated_movies(tables: Iterable[pa.Table]) -> pa.Table:
    """Where the source has no movies table: those in these tables, with their ids for titles."""
    ids = pc.unique(pa.concat_tables([table.select(["movie_id"]) for table in tables])["movie_id"])
    ids = ids.take(pc.sort_indices(ids))
    return pa.table({"movie_id": ids, "movie_title": ids})
