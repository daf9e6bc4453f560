"""The ratings of whole users in order, each movie rated once."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.examples.hashing import UInt64s, combine, hash_strings, mix

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Repeats:
    """Ratings that a later one of the same user and movie replaces, as rows of the given table.

    `exact` rows have an identical twin that stays or comes later; `superseded` rows differ, or hold
    no rating: who sees a movie again repeats nothing.
    """

    exact: Int64s
    superseded: Int64s


def order_rows(rows: pa.Table, seed: int) -> tuple[pa.Table, Repeats]:
    """Sorts ratings by user and time, and keeps one of each user and movie: the last.

    Users are put in the order of a seeded hash, so that neighbours have nothing in common. A user's
    order is by time; within a moment, or where there are no times, it is drawn by a seeded hash of
    what the rows hold. Where their lines stand in the files decides nothing.

    Args:
      rows: user_id: string, movie_id: string, rating: float32 (null if the source has none,
        NaN where not rated), timestamp: int64 (null if the source has none), given: int8,
        order: int64, and any others; all the ratings of each user in it.

    Returns:
      The rows that stay, in order, and which rows of the argument were dropped. Of ratings of one
      moment for the same movie one of eval's file stays, if there is any.
    """
    users, movies = _user_ranks(rows["user_id"], seed), _codes(rows["movie_id"])
    order, given = rows["order"].to_numpy(), rows["given"].to_numpy()
    times = pc.fill_null(rows["timestamp"], 0).to_numpy()
    ratings = np.asarray(rows["rating"].to_numpy(), np.float32)
    drawn, content = pair_hashes(rows, seed), mix(ratings.view(np.uint32).astype(np.uint64))
    sorted_rows = np.lexsort((order, content, given, drawn, times, users))
    pairs = users * (int(movies.max(initial=0)) + 1) + movies
    stays, repeated = _last_of_each(pairs[sorted_rows], ~np.isnan(ratings[sorted_rows]))
    again = sorted_rows[repeated]
    twin = _has_later_twin(pairs[again], times[again], ratings[again], order[again])
    dropped = ~stays[repeated]
    repeats = Repeats(np.sort(again[dropped & twin]), np.sort(again[dropped & ~twin]))
    return rows.take(pa.array(sorted_rows[stays])), repeats


def moment_starts(rows: pa.Table) -> Int64s:
    """Where the moment of each row begins: the first row of the same user and time. Shape [rows].

    Args:
      rows: what `order_rows` returned; without times each row is a moment of its own.
    """
    places = np.arange(len(rows))
    if not len(rows) or rows["timestamp"].null_count:
        return places
    users, times = user_numbers(rows["user_id"]), rows["timestamp"].to_numpy()
    new = np.ones(len(rows), np.bool_)
    new[1:] = (users[1:] != users[:-1]) | (times[1:] != times[:-1])
    return np.maximum.accumulate(np.where(new, places, 0))


def shares_moment(starts: Int64s) -> Bools:
    """Whether each row shares its moment with others; `starts` as `moment_starts` gives it."""
    shared: Bools = np.bincount(starts, minlength=len(starts))[starts] > 1
    return shared


def user_numbers(user_ids: pa.ChunkedArray) -> Int64s:
    """Numbers users 0, 1, ... in the order in which they stand, each user's rows together."""
    ids = user_ids.combine_chunks()
    if not len(ids):
        return np.zeros(0, np.int64)
    changes = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)


def pair_hashes(rows: pa.Table, seed: int) -> UInt64s:
    """A seeded hash of user and movie for each row. Shape [rows]."""
    parts = [hash_strings(rows[name].combine_chunks()) for name in ("user_id", "movie_id")]
    return combine(*parts, seed=seed)


def _user_ranks(user_ids: pa.ChunkedArray, seed: int) -> Int64s:
    encoded = user_ids.combine_chunks().dictionary_encode()
    users = encoded.dictionary
    table = pa.table({"hash": combine(hash_strings(users), seed=seed), "user": users})
    ranking = pc.sort_indices(table, sort_keys=[("hash", "ascending"), ("user", "ascending")])
    ranks = np.empty(len(users), np.int64)
    ranks[ranking.to_numpy()] = np.arange(len(users))
    return cast(Int64s, ranks[encoded.indices.to_numpy()])


def _codes(ids: pa.ChunkedArray) -> Int64s:
    indices = ids.combine_chunks().dictionary_encode().indices
    return cast(Int64s, indices.to_numpy().astype(np.int64))


def _last_of_each(keys: Int64s, rated: Bools) -> tuple[Bools, Bools]:
    """Which row of each key stays, the last rated one if any is, and which share their key."""
    by_key = np.argsort(2 * keys + rated, kind="stable")
    ordered = keys[by_key]
    # Nothing stands beside the first and the last key, so both are edges of a group.
    edges = np.ones(len(keys) + 1, np.bool_)
    edges[1:-1] = ordered[1:] != ordered[:-1]
    last, alone = edges[1:], edges[1:] & edges[:-1]
    stays, repeated = np.empty(len(keys), np.bool_), np.empty(len(keys), np.bool_)
    stays[by_key], repeated[by_key] = last, ~alone
    return stays, repeated


def _has_later_twin(
    pairs: Int64s, times: Int64s, ratings: npt.NDArray[np.float32], order: Int64s
) -> Bools:
    by_value = np.lexsort((order, ratings, times, pairs))
    same = np.ones(max(len(pairs) - 1, 0), np.bool_)
    for column in (pairs, times, ratings):
        ordered = column[by_value]
        same &= ordered[1:] == ordered[:-1]
    twin = np.zeros(len(pairs), np.bool_)
    twin[by_value[:-1]] = same
    return twin
