"""Which ratings an Example holds: its targets, the history before them, what else was seen.

It all speaks of rows: the place of a rating in a table where users follow one another and each
user's ratings are in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.example_gen.config import History

Int8s = npt.NDArray[np.int8]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """The rows that Examples hold.

    targets: [ratings] rows, Example after Example; target_offsets: [examples + 1] into `targets`.
    histories: [events] rows, Example after Example; history_offsets: [examples + 1] into them.
    seen: [events] rows of the events before the history, Example after Example; seen_offsets:
        [examples + 1] into them.
    """

    targets: Int64s
    target_offsets: Int64s
    histories: Int64s
    history_offsets: Int64s
    seen: Int64s
    seen_offsets: Int64s


def tiles(users: Int64s, split: Int8s, code: int, length: int) -> tuple[Int64s, Int64s]:
    """Tiles each user's ratings of a split with windows, the last as long as what remains.

    Args:
      users: [rows] number of the user.
      split: [rows] code of the split.
      code: of the split to tile.
      length: ratings in a window.

    Returns:
      The split's rows in order, and the offsets [windows + 1] of the windows among them.
    """
    rows = np.flatnonzero(split == code)
    owners = users[rows]
    begins = np.flatnonzero(np.diff(owners, prepend=-1))
    counts = np.diff(begins, append=len(rows))
    position = np.arange(len(rows)) - np.repeat(begins, counts)
    starts = np.flatnonzero(position % length == 0)
    return rows, np.append(starts, len(rows))


def history_spans(
    users: Int64s,
    split: Int8s,
    starts: Int64s,
    code: int,
    targets: Int64s,
    limit: int,
    mode: History,
) -> tuple[Int64s, Int64s, Int64s]:
    """Where each target's history lies.

    `before`: the user's last `limit` ratings ahead of the target's moment, whatever their split;
    `rest`: the user's last `limit` ratings in earlier splits (for eval that is train and valid),
    wherever the target stands.

    Args:
      users: [rows] number of the user, ascending.
      split: [rows] code of the split.
      starts: [rows] where the moment of each row begins, see `timeline.moment_starts`.
      code: of the targets' split, valid or eval.
      targets: [targets] its rows.
      limit: greatest length of a history.
      mode: see above.

    Returns:
      pool [n] of rows, begins [targets] and ends [targets]: target i has pool[begins[i]:ends[i]].
    """
    pool = np.arange(len(users)) if mode == "before" else np.flatnonzero(split < code)
    owners = users[pool]
    if mode == "before":
        ends = starts[targets]
    else:
        ends = np.searchsorted(owners, users[targets], side="right")
    firsts = np.searchsorted(owners, users[targets], side="left")
    return pool, np.maximum(firsts, ends - limit), ends


def expand(pool: Int64s, begins: Int64s, ends: Int64s) -> tuple[Int64s, Int64s]:
    """Lays spans of `pool` one after another: their content [events], and offsets [spans + 1]."""
    offsets = np.concatenate([[0], np.cumsum(ends - begins)])
    shift = np.repeat(begins - offsets[:-1], ends - begins)
    return pool[np.arange(offsets[-1]) + shift], offsets


def tiled_examples(
    users: Int64s, split: Int8s, code: int, length: int, max_ratings: int
) -> Iterator[Windows]:
    """Windows of a split with no history, in pieces of about `max_ratings` ratings."""
    rows, offsets = tiles(users, split, code, length)
    for first, last in _pieces(offsets, max_ratings):
        begin, end = offsets[first], offsets[last]
        empty = np.zeros(last - first + 1, np.int64)
        none = rows[:0], empty
        yield Windows(rows[begin:end], offsets[first : last + 1] - begin, *none, *none)


def target_examples(
    users: Int64s,
    split: Int8s,
    starts: Int64s,
    code: int,
    limit: int,
    mode: History,
    max_events: int,
) -> Iterator[Windows]:
    """Examples of one target each, in pieces of about `max_events` events in history or seen."""
    targets = np.flatnonzero(split == code)
    pool, begins, ends = history_spans(users, split, starts, code, targets, limit, mode)
    firsts = np.searchsorted(users[pool], users[targets], side="left")
    sizes = np.concatenate([[0], np.cumsum(1 + ends - firsts)])
    for first, last in _pieces(sizes, max_events):
        piece = slice(first, last)
        history = expand(pool, begins[piece], ends[piece])
        seen = expand(pool, firsts[piece], begins[piece])
        if mode == "before":
            seen = _with_earlier_splits(seen, split, starts, targets[piece])
        yield Windows(targets[piece], np.arange(last - first + 1), *history, *seen)


def _with_earlier_splits(
    seen: tuple[Int64s, Int64s], split: Int8s, starts: Int64s, targets: Int64s
) -> tuple[Int64s, Int64s]:
    """Adds what an earlier split holds of each target's moment: seen, and yet no history."""
    rows, offsets = seen
    ends = starts[targets] + np.bincount(starts)[starts[targets]]
    company, of_company = expand(np.arange(len(split)), starts[targets], ends)
    owners = np.repeat(np.arange(len(targets)), np.diff(of_company))
    earlier = split[company] < split[targets][owners]
    owners = np.concatenate([np.repeat(np.arange(len(targets)), np.diff(offsets)), owners[earlier]])
    order = np.argsort(owners, kind="stable")
    counts = np.bincount(owners, minlength=len(targets))
    return np.concatenate([rows, company[earlier]])[order], np.concatenate([[0], np.cumsum(counts)])


def _pieces(offsets: Int64s, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of spans that cover about `size` each, and at least one span."""
    first, count = 0, len(offsets) - 1
    while first < count:
        last = int(np.searchsorted(offsets, offsets[first] + size, side="right")) - 1
        last = min(max(last, first + 1), count)
        yield first, last
        first = last
