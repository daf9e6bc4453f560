"""What is counted of each partition of users before its ratings are split, and adds up over all."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.config import SplitConfig
from components.example_gen.read.problems import EXACT_DUPLICATE, SAMPLES_PER_REASON, SUPERSEDED
from components.example_gen.split import cutoffs, splits
from components.example_gen.split.cutoffs import Histogram
from components.example_gen.split.timeline import Repeats, moment_starts, user_numbers

Int64s = npt.NDArray[np.int64]

# A movie with a tenth of all rows has as much in every partition, as users are spread by a hash: so
# the few with a thousandth of a partition's rows do.
_LARGE = 0.001


@dataclass(frozen=True)
class Summary:
    """Counts of some partitions that add up to those of all.

    rows: those that stay; `unrated` of them say that a movie was seen and not how it was liked.
    held_out: those that stand in eval's file, of a predefined split.
    users: how many there are; `strangers` of them are not in the users table.
    top_user, top_movies: ids of those with the most rows, and how many, repeats among them.
    repeats: rows that were rated again, by reason.
    repeat_samples: reason and order of the first few of them.
    time_range: the first and the last moment; None without times.
    stretches: the rows that cut-offs are taken over, by coarse time.
    eval_after_train: whether no user has a train rating after an eval rating.
    forgotten: rows of people who are to be forgotten, which are counted nowhere else.
    """

    rows: int = 0
    unrated: int = 0
    held_out: int = 0
    users: int = 0
    strangers: int = 0
    top_user: tuple[str, int] = ("", 0)
    top_movies: tuple[tuple[str, int], ...] = ()
    repeats: dict[str, int] = field(default_factory=dict)
    repeat_samples: tuple[tuple[str, int], ...] = ()
    time_range: tuple[int, int] | None = None
    stretches: Histogram = field(default_factory=lambda: cutoffs.merge([]))
    eval_after_train: bool = True
    forgotten: int = 0


def cut_rows(rows: pa.Table, config: SplitConfig) -> Int64s:
    """Timestamps of the ratings that are cut into splits by time; none if the source has none."""
    if not config.needs_cutoffs or rows["timestamp"].null_count:
        return np.zeros(0, np.int64)
    timestamps = rows["timestamp"].to_numpy()
    if config.kind == "predefined":
        return timestamps[rows["given"].to_numpy() == splits.TRAIN]
    return timestamps


def summarise(
    read: pa.Table,
    kept: pa.Table,
    repeats: Repeats,
    config: SplitConfig,
    known_users: pa.Array | None = None,
) -> Summary:
    """Counts one partition: `kept` and `repeats` are what `order_rows` made of `read`.

    `known_users` are the ids of the users table, if there is one.
    """
    dropped = {EXACT_DUPLICATE: repeats.exact, SUPERSEDED: repeats.superseded}
    users = user_numbers(kept["user_id"])
    timed = len(kept) > 0 and not kept["timestamp"].null_count
    times = kept["timestamp"].to_numpy() if timed else None
    return Summary(
        rows=len(kept),
        unrated=int(np.isnan(kept["rating"].to_numpy()).sum()),
        held_out=int((kept["given"].to_numpy() == splits.EVAL).sum()),
        users=int(users[-1]) + 1 if len(users) else 0,
        strangers=_strangers(kept["user_id"], known_users),
        top_user=_top_user(read, kept, users, repeats),
        top_movies=_top_movies(read["movie_id"]),
        repeats={reason: len(rows) for reason, rows in dropped.items() if len(rows)},
        repeat_samples=_first_repeats(read, dropped),
        time_range=None if times is None else (int(times.min()), int(times.max())),
        stretches=cutoffs.coarse(cut_rows(kept, config)),
        eval_after_train=(timed or not len(kept))
        and splits.eval_after_train(users, kept["given"].to_numpy(), moment_starts(kept)),
    )


def merge_summaries(summaries: Iterable[Summary]) -> Summary:
    """The counts of all of them together, the same for any order and grouping."""
    parts = list(summaries)
    ranges = [part.time_range for part in parts if part.time_range]
    reasons = sorted({reason for part in parts for reason in part.repeats})
    return Summary(
        rows=sum(part.rows for part in parts),
        unrated=sum(part.unrated for part in parts),
        held_out=sum(part.held_out for part in parts),
        users=sum(part.users for part in parts),
        strangers=sum(part.strangers for part in parts),
        top_user=min((part.top_user for part in parts), key=_by_rows, default=("", 0)),
        top_movies=_added(part.top_movies for part in parts),
        repeats={name: sum(part.repeats.get(name, 0) for part in parts) for name in reasons},
        repeat_samples=_first(sample for part in parts for sample in part.repeat_samples),
        time_range=(min(r[0] for r in ranges), max(r[1] for r in ranges)) if ranges else None,
        stretches=cutoffs.merge(part.stretches for part in parts),
        eval_after_train=all(part.eval_after_train for part in parts),
        forgotten=sum(part.forgotten for part in parts),
    )


def _top_user(read: pa.Table, kept: pa.Table, users: Int64s, repeats: Repeats) -> tuple[str, int]:
    """The user with the most rows that were read; `users` numbers those of `kept`."""
    if not len(users):
        return "", 0
    names = kept["user_id"].take(pa.array(np.flatnonzero(np.diff(users, prepend=-1))))
    rows = np.bincount(users)
    again = read["user_id"].take(pa.array(np.concatenate([repeats.exact, repeats.superseded])))
    if len(again):
        counts = pc.value_counts(again.combine_chunks())
        place = pc.index_in(counts.field("values"), value_set=names.combine_chunks())
        rows[place.to_numpy()] += counts.field("counts").to_numpy()
    most = names.take(pa.array(np.flatnonzero(rows == rows.max())))
    return pc.min(most).as_py(), int(rows.max())


def _top_movies(ids: pa.ChunkedArray) -> tuple[tuple[str, int], ...]:
    counts = pc.value_counts(ids.combine_chunks())
    rows = counts.field("counts").to_numpy()
    large = np.flatnonzero(rows >= _LARGE * len(ids))
    names = counts.field("values").take(pa.array(large)).to_pylist()
    return tuple(zip(names, rows[large].tolist(), strict=True))


def _by_rows(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]


def _added(parts: Iterable[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(dict(part))
    return tuple(sorted(total.items(), key=_by_rows))


def _strangers(ids: pa.ChunkedArray, known: pa.Array | None) -> int:
    if known is None or not len(ids):
        return 0
    return int(pc.sum(pc.invert(pc.is_in(pc.unique(ids), value_set=known))).as_py())


def _first_repeats(rows: pa.Table, dropped: Mapping[str, Int64s]) -> tuple[tuple[str, int], ...]:
    order = rows["order"].to_numpy()
    return _first(
        (reason, place)
        for reason, own in dropped.items()
        for place in np.sort(order[own])[:SAMPLES_PER_REASON].tolist()
    )


def _first(samples: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    kept: dict[str, list[tuple[str, int]]] = {}
    for sample in sorted(samples):
        if len(kept.setdefault(sample[0], [])) < SAMPLES_PER_REASON:
            kept[sample[0]].append(sample)
    return tuple(sample for group in kept.values() for sample in group)
