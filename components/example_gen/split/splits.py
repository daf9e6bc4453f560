"""Which split each rating belongs to."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from components.example_gen.config import SplitConfig
from components.examples.hashing import UInt64s, combine, to_unit

Int8s = npt.NDArray[np.int8]
Int64s = npt.NDArray[np.int64]

TRAIN, VALID, EVAL, UNJUDGED = 0, 1, 2, 3
REFIT, NOT_REFIT = 4, -1
SPLITS = ("train", "valid", "eval")


def ranks_before(rows: int, config: SplitConfig) -> list[int]:
    """How many ratings have to come before each cut-off: before t1 (valid) and t2 (eval)."""
    valid, held_out = Fraction(str(config.valid)), Fraction(str(config.eval_share))
    before_valid, before_eval = (
        rows - math.floor(rows * share) for share in (valid + held_out, held_out)
    )
    return [max(before_valid, before_eval - config.most_valid), before_eval]


def by_time(timestamps: Int64s, cutoffs: list[int]) -> Int8s:
    """train before the first cut-off, valid from it on, eval from the second on. [n] -> [n]."""
    return np.searchsorted(np.asarray(cutoffs), timestamps, side="right").astype(np.int8)


def by_hash(hashes: UInt64s, config: SplitConfig, valid: float) -> Int8s:
    """Seeded random shares, `valid` of them in valid. [n] -> [n]."""
    unit = to_unit(combine(hashes, seed=config.seed))
    edges = np.array([config.eval_share, config.eval_share + valid])
    return (EVAL - np.searchsorted(edges, unit, side="right")).astype(np.int8)


def by_last(users: Int64s, n: int) -> Int8s:
    """The last n ratings of a user are eval if the user has more, the n before them valid.

    Args:
      users: [rows] number of the user, each user's ratings together and in order.
      n: ratings per user and split; a user with k of them has eval if k > n, valid if k > 2n.
    """
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    counts = np.diff(starts, append=len(users))
    total = np.repeat(counts, counts)
    from_end = np.repeat(starts + counts, counts) - np.arange(len(users))
    split = np.zeros(len(users), np.int8)
    split[(from_end <= 2 * n) & (total > 2 * n)] = VALID
    split[(from_end <= n) & (total > n)] = EVAL
    return split


def carve(given: Int8s, carved: Int8s) -> Int8s:
    """Predefined splits: `given` says train or eval by file, `carved` which of train is valid."""
    return np.where((given == TRAIN) & (carved == VALID), np.int8(VALID), given).astype(np.int8)


def eval_after_train(users: Int64s, given: Int8s, starts: Int64s) -> bool:
    """Whether no user has a train rating after an eval rating; equal moments are not after.

    Args:
      users: [rows] number of the user, each user's ratings together and in order.
      given: [rows] train or eval, by file.
      starts: [rows] see `timeline.moment_starts`.
    """
    first = np.full(int(users.max(initial=-1)) + 1, len(users))
    held_out, train = np.flatnonzero(given == EVAL), np.flatnonzero(given == TRAIN)
    np.minimum.at(first, users[held_out], held_out)
    return not bool(np.any(starts[train] > first[users[train]]))


def to_refit(users: Int64s, split: Int8s) -> Int8s:
    """`REFIT` for the ratings in train and valid of the users who have any in valid. [n] -> [n].

    Args:
      users: [rows] number of the user.
      split: [rows] code of the split.
    """
    in_valid = np.zeros(int(users.max(initial=-1)) + 1, np.bool_)
    in_valid[users[split == VALID]] = True
    return np.where(in_valid[users] & (split <= VALID), REFIT, NOT_REFIT).astype(np.int8)
