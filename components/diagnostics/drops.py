"""How much worse a model becomes without some of its inputs, with intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import interval, replicate_sums

MEASURES = ("ndcg", "hit_rate@10", "rmse")
RATED = 3  # the column that is 1 where a row has a squared error, see `drops`
LEVEL, REPLICATES = 0.95, 500
Array = NDArray[Any]


def drops(users: Array, whole: Array, without: Mapping[str, Array], seed: int) -> dict[str, Any]:
    """How much worse each measure is without each group of inputs.

    Intervals come from a paired Poisson bootstrap over users: each replicate holds both sides of a
    difference to the same users.

    Args:
      users: int64 [rows], any identifying number.
      whole: float64 [rows, 4], each row's NDCG, hit at 10, squared error (0 where it is not rated)
        and whether it is rated, with all inputs as they are.
      without: the same for each group, with the group shuffled.
      seed: of the bootstrap.

    Returns:
      rows, users and level; base: each of `MEASURES` with all inputs, RMSE only where a row is
      rated; groups: name and, for each measure, value, low and high, above 0 where the model is
      worse without the group.
    """
    measures = MEASURES if whole[:, RATED].any() else MEASURES[:-1]
    ones = np.ones([len(users), 1])
    columns = np.concatenate([ones, whole, *without.values()], axis=1)
    sums = replicate_sums(users, columns, REPLICATES, seed)
    sides = sums[:, 1:].reshape([len(sums), 1 + len(without), -1])
    with np.errstate(invalid="ignore", divide="ignore"):
        error = -np.sqrt(
            sides[..., 2] / sides[..., RATED]
        )  # negated, so that more is better in every column
        sides = sides / sums[:, :1, np.newaxis]
    sides = np.concatenate([sides[..., :2], error[..., np.newaxis]], axis=2)[..., : len(measures)]
    worse = sides[:, :1] - sides[:, 1:]
    low, high = interval(worse[1:].reshape([REPLICATES, -1]), LEVEL)
    ends = np.stack([worse[0].ravel(), low, high], 1).reshape([len(without), len(measures), 3])
    return {
        "rows": len(users),
        "users": len(np.unique(users)),
        "level": LEVEL,
        "base": dict(zip(measures, np.abs(sides[0, 0]).tolist(), strict=True)),
        "groups": [
            {"group": name, **{m: _row(e) for m, e in zip(measures, own, strict=True)}}
            for name, own in zip(without, ends.tolist(), strict=True)
        ],
    }


def _row(ends: list[float]) -> dict[str, float]:
    return dict(zip(("value", "low", "high"), ends, strict=True))
