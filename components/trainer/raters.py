"""A bounded sample of who rated what in train, which the model reads as a feature of movies."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.examples.hashing import mix
from components.model.facts import Raters


class RaterSample:
    """Keeps some raters of each movie, in bounded memory and in whatever order they come.

    It keeps at most `MOST_RATERS` of each movie and `MOST_PAIRS` in all, since each training step
    sums over them: where that is too many, every movie is cut to the same number. A hash of movie
    and user draws which ones, so that the same data gives the same sample.
    """

    MOST_RATERS, MOST_PAIRS = 400, 250_000
    PENDING = 2_000_000  # pairs that are collected before the sample is drawn anew

    def __init__(self) -> None:
        self._kept = np.zeros([2, 0], np.int64)
        self._new: list[NDArray[Any]] = []
        self._pending = 0

    def add(self, movie: NDArray[Any], user: NDArray[Any]) -> None:
        """Offers pairs of rows, [ratings] each."""
        self._new.append(np.stack([movie, user]).astype(np.int64))
        self._pending += len(movie)
        if self._pending >= self.PENDING:
            self._prune(self.MOST_RATERS)

    def _prune(self, most: int) -> None:
        pairs = np.concatenate([self._kept, *self._new], axis=1)
        drawn = mix((pairs[0].astype(np.uint64) << np.uint64(32)) | pairs[1].astype(np.uint64))
        pairs = pairs[:, np.lexsort((drawn, pairs[0]))]
        first = np.searchsorted(pairs[0], pairs[0], side="left")
        self._kept = pairs[:, np.arange(pairs.shape[1]) - first < most]
        self._new, self._pending = [], 0

    def _affordable(self) -> int:
        """The greatest number of raters a movie may have, for all pairs to be few enough."""
        counts = np.bincount(self._kept[0])
        low, high = 1, self.MOST_RATERS
        while low < high:
            middle = (low + high + 1) // 2
            fits = np.minimum(counts, middle).sum() <= self.MOST_PAIRS
            low, high = (middle, high) if fits else (low, middle - 1)
        return low

    def raters(self) -> Raters:
        """The sample, sorted by movie and user."""
        self._prune(self.MOST_RATERS)
        self._prune(self._affordable())
        movie, user = self._kept[:, np.lexsort((self._kept[1], self._kept[0]))]
        weight = 1.0 / np.sqrt(np.bincount(movie)[movie]) if len(movie) else np.zeros(0)
        return Raters(movie.astype(np.int32), user.astype(np.int32), weight.astype(np.float32))
