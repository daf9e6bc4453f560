"""What all partitions have to agree on, decided from what was counted of them together."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.config import History, SplitConfig
from components.example_gen.split import cutoffs, splits
from components.example_gen.split.cutoffs import Histogram
from components.example_gen.split.splits import EVAL, TRAIN, UNJUDGED, VALID
from components.example_gen.split.summary import Summary
from components.example_gen.split.timeline import pair_hashes, user_numbers
from components.examples.hashing import combine, hash_strings, to_unit

Bools = npt.NDArray[np.bool_]
Int8s = npt.NDArray[np.int8]
Int64s = npt.NDArray[np.int64]

_VALID_USERS, _JUDGES = 1, 2  # added to the seed, so that neither draw is that of the order


@dataclass(frozen=True)
class Plan:
    """What every partition has to agree on.

    history: what the histories of valid and eval hold.
    cutoffs: where valid and eval begin; none where nothing is split by time.
    valid: where ratings are drawn the share of valid; with leave_last_n that of the users in it.
    judges: the share of the users whose ratings of eval judge.
    """

    history: History
    cutoffs: tuple[int, ...] = ()
    valid: float = 0.0
    judges: float = 1.0


def needed_ranks(stretches: Histogram, config: SplitConfig) -> list[int]:
    """How many rows have to come before each cut-off; none if there is nothing to cut."""
    return splits.ranks_before(stretches.rows, config) if stretches.rows else []


def make_plan(summary: Summary, levels: Sequence[Histogram], config: SplitConfig) -> Plan:
    """Decides for all partitions; `levels` are what `cutoffs` counted over all of them."""
    history = config.history_mode(summary.eval_after_train)
    cut = needed_ranks(levels[0], config)
    if config.kind == "predefined" and history == "rest":
        cut = []
    return Plan(
        history,
        tuple(cutoffs.cut(levels, cut)),
        _valid_share(summary, config),
        min(1.0, config.most_eval / max(1, _eval_rows(summary, config))),
    )


def _valid_share(summary: Summary, config: SplitConfig) -> float:
    if config.kind == "leave_last_n":
        return min(1.0, config.most_valid / max(1, summary.users * config.n))
    return min(config.valid, config.most_valid / max(1, summary.rows - summary.held_out))


def _eval_rows(summary: Summary, config: SplitConfig) -> float:
    """How many ratings eval has before its users are drawn, or a few more."""
    if config.kind == "leave_last_n":
        return summary.users * config.n
    return summary.held_out or summary.rows * config.eval_share


def facts(plan: Plan, summary: Summary) -> dict[str, Any]:
    """What is reported of all partitions together; JSON."""
    return {**asdict(plan), **{k: v for k, v in vars(summary).items() if k != "stretches"}}


def assign(rows: pa.Table, plan: Plan, config: SplitConfig) -> Int8s:
    """The split of each rating of `rows`, which are whole users in order. Shape [rows]."""
    split = _asked(rows, plan, config)
    judge = _drawn(rows, plan.judges, config.seed + _JUDGES)
    return np.where((split == EVAL) & ~judge, np.int8(UNJUDGED), split).astype(np.int8)


def _asked(rows: pa.Table, plan: Plan, config: SplitConfig) -> Int8s:
    """The splits, with all of eval in it."""
    if config.kind == "leave_last_n":
        last = splits.by_last(user_numbers(rows["user_id"]), config.n)
        in_valid = _drawn(rows, plan.valid, config.seed + _VALID_USERS)
        return np.where((last == VALID) & ~in_valid, np.int8(TRAIN), last).astype(np.int8)
    if plan.cutoffs:
        by_time = splits.by_time(rows["timestamp"].to_numpy(), list(plan.cutoffs))
        if config.kind == "temporal":
            return by_time
        return splits.carve(rows["given"].to_numpy(), by_time)
    times = pc.fill_null(rows["timestamp"], 0).to_numpy().view(np.uint64)
    hashes = combine(pair_hashes(rows, 0), times, seed=config.seed)
    drawn = splits.by_hash(hashes, config, plan.valid)
    if config.kind == "predefined":
        return splits.carve(rows["given"].to_numpy(), drawn)
    return drawn


def _drawn(rows: pa.Table, share: float, seed: int) -> Bools:
    """Whether the user of each rating is among the share of them that a seed draws. [rows]."""
    if share >= 1:
        return np.ones(len(rows), np.bool_)
    hashes = hash_strings(rows["user_id"].combine_chunks())
    drawn: Bools = to_unit(combine(hashes, seed=seed)) < share
    return drawn
