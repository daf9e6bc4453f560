"""Whom and what lists reach: how popular movies are that they show, and what changed for whom."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.list_checks import Answers
from components.evaluation.slices import HISTORY_EDGES, HISTORY_NAMES, OVERALL
from components.examples.activity import tenths

TENTHS = 11  # the first of them for what train has no rating of
Array = NDArray[Any]


def exposure(lists: Array, counts: Array) -> list[float]:
    """The share of the places that movies of each tenth by popularity have.

    Args:
      lists: int64 [users, places], rows of the catalogue, -1 for no movie.
      counts: float64 [movies], train ratings of each.

    Returns:
      `TENTHS` shares: of movies that are never rated, then from the most rated tenth on. All 0
      where there is no movie.
    """
    shown = tenths(counts)[lists[lists >= 0]].astype(np.int64)
    places = np.bincount(shown, minlength=TENTHS) / max(len(shown), 1)
    return [float(share) for share in places]


def changes(candidate: Answers, blessed: Answers, k: int) -> list[dict[str, Any]]:
    """What the candidate changes for the users whom both models were asked about.

    Args:
      candidate, blessed: see `reload.answers`; the same users in the same order.
      k: length of the lists.

    Returns:
      One row for all, then one by length of the history: `group`, `people`; `new`, the mean share
      of the list that the blessed model's did not show; of the movies that they rated next, how
      many are `found` that were not, and `lost` that were.
    """
    fresh = (candidate["movies"][:, :, np.newaxis] != blessed["movies"][:, np.newaxis]).all(2)
    there = candidate["movies"] >= 0
    new = (fresh & there).sum(1) / np.maximum(there.sum(1), 1)
    now, before = (np.ravel(answers["rank"]) <= k for answers in (candidate, blessed))
    lengths = (candidate["history"] >= 0).sum(1)
    group = np.searchsorted(HISTORY_EDGES, lengths, side="right")
    return [
        {
            "group": name,
            "people": int(own.sum()),
            "new": float(new[own].mean()),
            "found": int((now & ~before)[own].sum()),
            "lost": int((before & ~now)[own].sum()),
        }
        for name, own in (
            (OVERALL, np.ones(len(new), bool)),
            *((f"history={own}", group == place) for place, own in enumerate(HISTORY_NAMES)),
        )
        if own.any()
    ]
