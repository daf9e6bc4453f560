"""Whether recommendation lists are sound: no movie twice, none seen, as many as there can be.

Lists are rows of the catalogue, int64 [users, k], -1 where a list ends early.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Seen:
    """Who has seen what: int64 [pairs] each.

    owner: place of the user's list.
    movie: row of the catalogue, -1 for what it does not hold.
    """

    owner: NDArray[Any]
    movie: NDArray[Any]


def faults(lists: NDArray[Any], again: NDArray[Any], seen: Seen) -> dict[str, int]:
    """Counts users whose list repeats a movie, holds a seen one, or differs when asked again."""
    ordered = np.sort(lists, axis=1)
    repeats = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    return {
        "repeats a movie": int(repeats.any(axis=1).sum()),
        "holds a movie already seen": len(holding_seen(lists, seen)),
        "differs when asked again": int((lists != again).any(axis=1).sum()),
    }


def holding_seen(lists: NDArray[Any], seen: Seen) -> NDArray[Any]:
    """The places of the lists that hold a movie which their user has seen: int64, ascending."""
    most = int(max(lists.max(initial=0), seen.movie.max(initial=0))) + 1
    owners = np.broadcast_to(np.arange(len(lists))[:, np.newaxis], lists.shape)
    listed = np.where(lists >= 0, owners * most + lists, -1)
    known = seen.movie >= 0
    return np.flatnonzero(np.isin(listed, seen.owner[known] * most + seen.movie[known]).any(axis=1))


def count_short(lists: NDArray[Any], seen: Seen, movies: int) -> int:
    """Counts the users who get fewer than k movies though enough are unseen."""
    given = (lists >= 0).sum(axis=1)
    known = np.unique(np.stack([seen.owner, seen.movie])[:, seen.movie >= 0], axis=1)
    unseen = movies - np.bincount(known[0], minlength=len(lists))
    return int((given < np.minimum(lists.shape[1], unseen)).sum())
