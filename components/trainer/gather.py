"""Collects the model's facts from the Transform node, the catalogue and one pass over train."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from numpy.typing import NDArray

from components.examples.catalogue import Catalogue
from components.examples.hashing import mix
from components.examples.records import records
from components.model.facts import Facts, Raters
from components.model.parsing import Lookup, parse, table
from schemas.features import MOVIE_FEATURES, USER_FEATURES


@dataclass(frozen=True)
class TrainStatistics:
    """Sums over train.

    counts, rated_counts, rating_sums: float64 [movies]: all events, those rated, their ratings.
    squares: sum of all squared ratings.
    ends: the lowest and the highest rating given; infinities where there is none.
    lengths: windows by length.
    raters: who rated what.
    """

    counts: NDArray[Any]
    rated_counts: NDArray[Any]
    rating_sums: NDArray[Any]
    squares: float
    ends: tuple[float, float]
    lengths: Mapping[int, int]
    raters: Raters

    def unrated(self, scale: tuple[float, float] | None) -> str:
        """Why there is nothing to predict of ratings, in words; empty where there is.

        `scale` is the source's, none where it has no ratings.
        """
        low, high = self.ends
        if scale is None or (low > high and self.counts.any()):
            return "no event of train is rated: there is nothing to predict"
        return f"all ratings of train are {low:g}: there is nothing to predict" * (low == high)


def vocabularies(transform_graph: str, ignored: Collection[str] = ()) -> dict[str, list[bytes]]:
    """Reads Transform's vocabularies, most frequent value first, but for those of ignored features.

    What has no vocabulary here is nothing that the model reads.
    """
    output = tft.TFTransformOutput(transform_graph)
    names = ("user_id", "movie_id", *USER_FEATURES, *MOVIE_FEATURES)
    known = {name: output.vocabulary_file_by_name(name) for name in names if name not in ignored}
    return {name: output.vocabulary_by_name(name) for name, path in known.items() if path}


def make_lookup(catalogue: Catalogue, vocabulary: Mapping[str, list[bytes]]) -> Lookup:
    """Builds the tables from names to rows."""
    users = vocabulary["user_id"]
    features = {
        name: table(vocabulary[name], len(vocabulary[name]))
        for name in USER_FEATURES
        if name in vocabulary
    }
    return Lookup(table(catalogue.ids.to_pylist(), -1), table(users, len(users)), features)


def count_train(files: Sequence[str], lookup: Lookup, movies: int) -> TrainStatistics:
    """Sums up train in one streamed pass."""
    counts, rated_counts, sums = np.zeros([3, movies])
    squares, lengths = 0.0, Counter[int]()
    low, high = np.inf, -np.inf
    sample = RaterSample()
    for batch in records(files):
        parsed = parse(lookup, batch)
        rows = parsed.movie.flat_values.numpy()
        counts += np.bincount(rows, minlength=movies)
        length = parsed.movie.row_lengths().numpy()
        lengths.update(length.tolist())
        ratings = parsed.rating.flat_values.numpy().astype(np.float64)
        rated = ~np.isnan(ratings)
        rows, ratings = rows[rated], ratings[rated]
        rated_counts += np.bincount(rows, minlength=movies)
        sums += np.bincount(rows, ratings, minlength=movies)
        squares += float(np.square(ratings).sum())
        low, high = min(low, ratings.min(initial=low)), max(high, ratings.max(initial=high))
        sample.add(rows, np.repeat(parsed.user.numpy(), length)[rated])
    ends, raters = (float(low), float(high)), sample.raters()
    return TrainStatistics(counts, rated_counts, sums, squares, ends, lengths, raters)


class RaterSample:
    """Keeps some raters of each movie, in bounded memory and whatever order they come.

    Of each movie at most `MOST_RATERS`, and in all at most `MOST_PAIRS` (each training step sums
    over them), the same number of every movie that has more. Which ones is drawn by a hash of movie
    and user, so that the same data gives the same sample.
    """

    MOST_RATERS, MOST_PAIRS = 400, 250_000
    PENDING = 2_000_000

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


def make_facts(
    catalogue: Catalogue,
    vocabulary: Mapping[str, list[bytes]],
    train: TrainStatistics,
    scale: tuple[float, float] | None,
    oov_buckets: int,
    trained_until: int | None = None,
) -> Facts:
    """Puts the facts together; movies that train never saw share `oov_buckets` id rows.

    They have no scale where train has nothing to say of ratings, whatever the source's is.
    """
    rows = {movie: row for row, movie in enumerate(vocabulary["movie_id"])}
    movie_ids = catalogue.ids.to_pylist()
    values = {name: catalogue.values(name) for name in catalogue.features}
    buckets = tf.strings.to_hash_bucket_fast(movie_ids, oov_buckets).numpy()
    oov_rows = (len(rows) + buckets).astype(np.int32)
    known = [rows.get(movie, -1) for movie in movie_ids]
    id_rows = np.where(np.array(known) >= 0, known, oov_rows).astype(np.int32)
    features = {
        name: feature_rows(own, vocabulary[name])
        for name, own in values.items()
        if name in vocabulary
    }
    return Facts(
        movie_ids=movie_ids,
        movie_titles=catalogue.titles.to_pylist(),
        id_rows=id_rows,
        oov_rows=oov_rows,
        features=features,
        user_ids=vocabulary["user_id"],
        user_features={name: vocabulary[name] for name in USER_FEATURES if name in vocabulary},
        scale=None if train.unrated(scale) else scale,
        counts=train.counts,
        rated_counts=train.rated_counts,
        rating_sums=train.rating_sums,
        squares=train.squares,
        raters=train.raters,
        values=values,
        keys=vocabulary,
        trained_until=trained_until,
    )


def feature_rows(values: Sequence[Sequence[bytes]], vocabulary: Sequence[bytes]) -> NDArray[Any]:
    """Rows of each movie's values: int32 [movies, most values], -1 for padding.

    A value that train never saw gets the row behind the last.
    """
    rows = {value: row for row, value in enumerate(vocabulary)}
    width = max(1, max(map(len, values), default=1))
    index = np.full([len(values), width], -1, np.int32)
    for i, own in enumerate(values):
        index[i, : len(own)] = [rows.get(value, len(rows)) for value in own]
    return index
