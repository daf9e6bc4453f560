"""Where each peer ranks the movies of eval."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from components.model.linear import closed_form
from components.peers.asked import Asked
from components.peers.config import PeersConfig
from components.peers.learned import Learned, cosine_weights, most_rated, together

BATCH, SCORES = 256, 2**24  # most rows and most scores at once
NEAREST, SHRINK, PENALTY = 100, 1.0, 100.0  # as valid chose in `benchmarks`, on the embedded data
Array = NDArray[Any]
Scorer = Callable[[sp.csr_matrix], Array]  # of histories: float [rows, movies]


def peers(learned: Learned, config: PeersConfig) -> Iterator[tuple[str, Scorer]]:
    """Name and scorer of each peer that there are data for."""
    if learned.recent is not None:
        # Where nothing is recent, all of the past decides.
        scores = learned.recent + learned.counts / (1.0 + learned.counts.sum())
        yield f"popularity of the last {config.recent_days} days", partial(_alike, scores)
    covered = most_rated(learned.counts, config.movies)
    if not len(covered):
        return
    both = together(learned.watched[:, covered])
    yield "ItemKNN", partial(_linear, covered, cosine_weights(both, NEAREST, SHRINK))
    yield "EASE", partial(_linear, covered, closed_form(both, PENALTY))


def _alike(scores: Array, history: sp.csr_matrix) -> Array:
    return np.repeat(scores[np.newaxis], history.shape[0], axis=0)


def _linear(covered: Array, weights: Array, history: sp.csr_matrix) -> Array:
    """Scores by what was seen; a movie that is not covered has none."""
    scores = np.zeros(history.shape, np.float32)
    scores[:, covered] = history[:, covered] @ weights
    return scores


def ranks(scorer: Scorer, asked: Asked) -> Array:
    """Each target's place among the movies that were not seen; ties share their mean place.

    A movie that the catalogue lacks ranks last. Returns float64 [rows].
    """
    places = [np.zeros(0)]
    batch = max(1, min(BATCH, SCORES // asked.seen.shape[1]))
    for start in range(0, len(asked.target), batch):
        at = slice(start, start + batch)
        seen, target = asked.seen[at], asked.target[at]
        scores, index = scorer(asked.history[at]), np.arange(len(target))
        own = scores[index, target][:, np.newaxis].copy()
        scores[seen.nonzero()] = -np.inf
        scores[index, target] = -np.inf
        place = 1 + (scores > own).sum(1) + (scores == own).sum(1) / 2
        places.append(np.where(target >= 0, place, float(seen.shape[1])))
    return np.concatenate(places)
