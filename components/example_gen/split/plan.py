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
from components.example_gen.split.summary import Summary
from components.example_gen.split.timeline import pair_hashes, user_numbers
from components.examples.hashing import combine

Int8s = npt.NDArray[np.int8]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What every partition has to agree on; no cut-offs where nothing is split by time."""

    history: History
    cutoffs: tuple[int, ...] = ()


def needed_ranks(stretches: Histogram, config: SplitConfig) -> list[int]:
    """How many rows have to come before each cut-off; none if there is nothing to cut."""
    return splits.ranks_before(stretches.rows, config) if stretches.rows else []


def make_plan(summary: Summary, levels: Sequence[Histogram], config: SplitConfig) -> Plan:
    """Decides for all partitions; `levels` are what `cutoffs` counted over all of them."""
    history = config.history_mode(summary.eval_after_train)
    if config.kind == "predefined" and history == "rest":
        return Plan(history)
    return Plan(history, tuple(cutoffs.cut(levels, needed_ranks(levels[0], config))))


def facts(plan: Plan, summary: Summary) -> dict[str, Any]:
    """What is reported of all partitions together; JSON."""
    return {**asdict(plan), **{k: v for k, v in vars(summary).items() if k != "stretches"}}


def assign(rows: pa.Table, plan: Plan, config: SplitConfig) -> Int8s:
    """The split of each rating of `rows`, which are whole users in order. Shape [rows]."""
    if config.kind == "leave_last_n":
        return splits.by_last(user_numbers(rows["user_id"]), config.n)
    if plan.cutoffs:
        by_time = splits.by_time(rows["timestamp"].to_numpy(), list(plan.cutoffs))
        if config.kind == "temporal":
            return by_time
        return splits.carve(rows["given"].to_numpy(), by_time)
    times = pc.fill_null(rows["timestamp"], 0).to_numpy().view(np.uint64)
    drawn = splits.by_hash(combine(pair_hashes(rows, 0), times, seed=config.seed), config)
    if config.kind == "predefined":
        return splits.carve(rows["given"].to_numpy(), drawn)
    return drawn
