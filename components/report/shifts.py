"""How far what judges the model differs from what it learned from, feature by feature."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.examples.buckets import bucket_names, bucket_rows, quantile_bounds
from components.examples.tables import add_up, tables
from schemas.features import SEPARATOR, YEAR

NOT_FEATURES = ("user_id", "movie_id", "movie_title", "timestamp")
FROM_THE_PAST = ("history_", "seen_")
MANY = 500  # different texts, above which shares are mostly chance
FEW = 20  # different numbers up to which each is shown, and not buckets
SHOWN = 12  # values of a feature that are shown
Counts = tuple[NDArray[Any], NDArray[Any]]  # different values, and how often each is there


def shifts(train: Sequence[str], evaluated: Sequence[str]) -> list[dict[str, Any]]:
    """Compares the targets of train and eval by each feature of Examples.

    Args:
      train, evaluated: TFRecord files.

    Returns:
      feature; distance, half the sum of the differences of its values' shares (total variation, 0
      to 1); and rows: value, and its share in train and in eval. The most distant feature first.
      Features of text with more than `MANY` values are left out, and values that are unknown.
    """
    learned, judged = count_values(train), count_values(evaluated)
    found = [
        {"feature": name, **compared}
        for name in learned.keys() & judged.keys()
        if (compared := _compared(learned[name], judged[name])) is not None
    ]
    return sorted(found, key=lambda one: (-one["distance"], one["feature"]))


def count_values(files: Sequence[str]) -> dict[str, Counts]:
    """How often targets have each known value of each feature, in one streamed pass."""
    parts: dict[str, list[pa.Table]] = {}
    for examples in tables(files, None):
        lengths = pc.list_value_length(examples["movie_id"]).to_numpy()
        for name in examples.column_names:
            if name not in NOT_FEATURES and not name.startswith(FROM_THE_PAST):
                values = _of_targets(examples[name], lengths)
                parts.setdefault(name, []).append(_counted(values))
    return {name: _known(*add_up(own), name) for name, own in parts.items()}


def _of_targets(column: pa.ChunkedArray, lengths: NDArray[Any]) -> pa.ChunkedArray:
    """The values of targets: a user's one value stands for all targets of the Example."""
    values = pc.list_flatten(column)
    if len(values) == lengths.sum():
        return values
    return values.take(np.repeat(np.arange(len(lengths)), lengths)) if len(values) else values


def _counted(values: pa.ChunkedArray) -> pa.Table:
    """Each different value and how often it is there, of several in one text each of them."""
    if pa.types.is_large_binary(values.type):
        values = pc.list_flatten(pc.split_pattern(values.cast(pa.large_string()), SEPARATOR))
    found = pc.value_counts(values)
    return pa.table({"key": found.field("values"), "n": found.field("counts")})


def _known(values: pa.ChunkedArray, counts: pa.ChunkedArray, name: str) -> Counts:
    """Without what stands for an unknown value."""
    there, times = values.to_numpy(), counts.to_numpy()
    if there.dtype == object:
        known = there != ""
    else:
        known = ~np.isnan(there) & ((there != 0) | (name != YEAR))
    return there[known], times[known]


def _compared(learned: Counts, judged: Counts) -> dict[str, Any] | None:
    """Distance and rows of a feature; None where it cannot be compared."""
    if not len(learned[0]) or not len(judged[0]):
        return None
    is_text = learned[0].dtype == object
    if is_text and len(learned[0]) > MANY:
        return None
    if not is_text and len(learned[0]) > FEW:
        bounds = quantile_bounds(learned[0].astype(np.float32), learned[1])
        learned, judged = (_in_buckets(own, bounds) for own in (learned, judged))
        names = bucket_names(bounds)
    else:
        values = np.union1d(learned[0], judged[0])
        learned, judged = (_among(own, values) for own in (learned, judged))
        names = [str(value) if is_text else f"{value:g}" for value in values.tolist()]
    shares = np.stack([own[1] / own[1].sum() for own in (learned, judged)])
    order = np.argsort(-shares.sum(0), kind="stable")[:SHOWN]
    shown = order if is_text else np.sort(order)
    rows = [{"value": names[p], "train": float(shares[0, p]), "eval": float(shares[1, p])}
            for p in shown]  # fmt: skip
    return {"distance": float(np.abs(shares[0] - shares[1]).sum() / 2), "rows": rows}


def _in_buckets(own: Counts, bounds: Sequence[float]) -> Counts:
    places = bucket_rows(own[0], bounds)
    return np.arange(len(bounds) + 1), np.bincount(places, own[1], len(bounds) + 1)


def _among(own: Counts, values: NDArray[Any]) -> Counts:
    """The counts of some values, 0 for those that are not there."""
    kind = own[0].astype(values.dtype)
    return values, np.bincount(np.searchsorted(values, kind), own[1], len(values))
