"""Collects the model's facts from the Transform node, the catalogue and one pass over train."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from numpy.typing import NDArray

from components.examples.ages import DAY, days
from components.examples.arrow import filled
from components.examples.buckets import bounds_of, bucket_names, bucket_rows, rounded
from components.examples.catalogue import Catalogue
from components.examples.records import BATCH
from components.model.ages import Ages
from components.model.facts import Facts, Raters
from components.model.parsing import Buckets, Lookup, parse, table
from components.trainer.raters import RaterSample
from components.transform import Transformed, quantiles_of, spread_of, transformed
from schemas.features import Features, date_of
from schemas.text import to_texts

NO_FEATURES = Features()
FARTHEST = 5.0  # standard deviations: what is farther from the mean counts as that far


@dataclass(frozen=True)
class TrainStatistics:
    """Sums over train.

    counts: float64 [movies], events of each movie, rated or not.
    rated_counts: float64 [movies], events that are rated.
    rating_sums: float64 [movies], the sum of their ratings.
    squares: sum of all squared ratings.
    ends: the lowest and the highest rating given; infinities where there is none.
    lengths: how many windows there are, by their length.
    raters: a sample of who rated what.
    recent: by number of days, float64 [movies], events of those last days before train ends.
    newest: the time of the newest event, in microseconds since 1970; 0 without times.
    """

    counts: NDArray[Any]
    rated_counts: NDArray[Any]
    rating_sums: NDArray[Any]
    squares: float
    ends: tuple[float, float]
    lengths: Mapping[int, int]
    raters: Raters
    recent: Mapping[int, NDArray[Any]] = field(default_factory=dict)
    newest: int = 0

    @property
    def events(self) -> int:
        """How many events train has, rated or not."""
        return int(self.counts.sum())

    def unrated(self, scale: tuple[float, float] | None) -> str:
        """Why ratings cannot be learned, in words; empty where they can.

        Args:
          scale: lowest and highest rating of the source; None where it has no ratings.
        """
        low, high = self.ends
        if scale is None or (low > high and self.counts.any()):
            return "no event of train is rated: there is nothing to predict"
        if low == high:
            return f"all ratings of train are {low:g}: there is nothing to predict"
        return ""


def vocabularies(
    transform_graph: str, features: Features, ignored: Collection[str] = ()
) -> dict[str, list[bytes]]:
    """Reads Transform's vocabularies, most frequent value first; of numbers, the buckets' names.

    The model reads only features that have a vocabulary here, so those of ignored ones are left
    out.
    """
    output = transformed(transform_graph)
    declared = ("user_id", "movie_id", *features.read)
    names = [name for name in declared if name not in ignored]
    known = {name: output.vocabulary_file_by_name(name) for name in names}
    found = {name: output.vocabulary_by_name(name) for name, path in known.items() if path}
    buckets = {name: _buckets(output, name) for name in names if name in features.numbers}
    return found | {name: own for name, own in buckets.items() if own}


def _buckets(output: Transformed, name: str) -> list[bytes]:
    """The names of a number's buckets; none where no number of train is known."""
    quantiles = _analysed(output, name)[quantiles_of(name)].numpy()[0]
    if not np.isfinite(quantiles).all():
        return []
    return [bucket.encode() for bucket in bucket_names(rounded(quantiles))]


def _analysed(output: Transformed, name: str) -> Mapping[str, tf.Tensor]:
    """What Transform found of a number, in a single row."""
    spec = {name: output.raw_feature_spec()[name]}
    one = tf.train.Example()
    one.features.feature[name].float_list.value.append(0.0)
    raw = tf.io.parse_example([one.SerializeToString()], spec)
    found: Mapping[str, tf.Tensor] = output.transform_raw_features(raw)
    return found


def spreads(
    transform_graph: str, features: Features, vocabulary: Collection[str]
) -> dict[str, tuple[float, float]]:
    """Reads mean and standard deviation of movies' numbers that have a vocabulary, and differ."""
    output = transformed(transform_graph)
    names = [name for name in features.movie_numbers if name in vocabulary]
    found = {name: _analysed(output, name)[spread_of(name)].numpy()[0] for name in names}
    return {
        name: (float(mean), float(deviation))
        for name, (mean, deviation) in found.items()
        if np.isfinite(mean) and np.isfinite(deviation) and deviation > 0
    }


def in_train(catalogue: Catalogue, vocabulary: Mapping[str, list[bytes]]) -> NDArray[np.bool_]:
    """Which movies train has: bool [movies]."""
    known = pc.is_in(catalogue.ids, value_set=pa.array(vocabulary["movie_id"], catalogue.ids.type))
    return np.asarray(known.to_numpy(zero_copy_only=False))


def make_lookup(
    catalogue: Catalogue,
    vocabulary: Mapping[str, list[bytes]],
    features: Features = NO_FEATURES,
) -> Lookup:
    """Builds the tables from names to rows; those of numbers are buckets."""
    users = vocabulary["user_id"]

    def tables(names: Sequence[str]) -> dict[str, Any]:
        return {
            name: Buckets(bounds_of(to_texts(vocabulary[name])))
            if name in features.numbers
            else table(vocabulary[name], len(vocabulary[name]))
            for name in names
            if name in vocabulary
        }

    movies = table(filled(catalogue.ids), -1)
    aged = any(name in vocabulary for name in features.movie_ages)
    return Lookup(
        movies, table(users, len(users)), tables(features.users), tables(features.asked), aged
    )


def count_train(
    windows: tf.data.Dataset,
    lookup: Lookup,
    movies: int,
    until: int | None = None,
    days: Sequence[int] = (),
) -> TrainStatistics:
    """Sums up train in one streamed pass.

    Args:
      windows: serialized.
      lookup: tables to rows.
      movies: how many the catalogue has.
      until: where train ends, in microseconds; None: it does not end at one moment.
      days: the numbers of newest days to count apart, where train ends at one moment.
    """
    counts, rated_counts, sums = np.zeros([3, movies])
    squares, lengths = 0.0, Counter[int]()
    low, high, newest = np.inf, -np.inf, 0
    sample, strangers = RaterSample(), int(lookup.user.size())
    since = {} if until is None else {number: until - number * DAY for number in days}
    recent = {number: np.zeros(movies) for number in since}
    for batch in windows.batch(BATCH):
        parsed = parse(lookup, batch)
        rows = parsed.movie.flat_values.numpy()
        newest = max(newest, parsed.timestamp.flat_values.numpy().max(initial=0))
        counts += np.bincount(rows, minlength=movies)
        for number, own in recent.items():
            new = parsed.timestamp.flat_values.numpy() >= since[number]
            own += np.bincount(rows[new], minlength=movies)
        length = parsed.movie.row_lengths().numpy()
        lengths.update(length.tolist())
        ratings = parsed.rating.flat_values.numpy().astype(np.float64)
        rated = ~np.isnan(ratings)
        rows, ratings = rows[rated], ratings[rated]
        rated_counts += np.bincount(rows, minlength=movies)
        sums += np.bincount(rows, ratings, minlength=movies)
        squares += float(np.square(ratings).sum())
        low, high = min(low, ratings.min(initial=low)), max(high, ratings.max(initial=high))
        users = np.repeat(parsed.user.numpy(), length)[rated]
        known = users < strangers
        sample.add(rows[known], users[known])
    ends, raters = (float(low), float(high)), sample.raters()
    return TrainStatistics(
        counts, rated_counts, sums, squares, ends, lengths, raters, recent, int(newest)
    )


def make_facts(
    catalogue: Catalogue,
    vocabulary: Mapping[str, list[bytes]],
    train: TrainStatistics,
    scale: tuple[float, float] | None,
    oov_buckets: int,
    trained_until: int | None = None,
    names: Features = NO_FEATURES,
    spread: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> Facts:
    """Puts the facts together; movies that train never saw share `oov_buckets` id rows.

    Numbers that have a `spread`, see `spreads`, are normalised by it.

    The facts have no rating scale where ratings cannot be learned from train.
    """
    movie_ids = filled(catalogue.ids)
    values = {name: catalogue.values(name) for name in catalogue.features}
    id_rows, oov_rows = movie_rows(movie_ids, vocabulary["movie_id"], oov_buckets)
    features = {
        name: (number_rows if name in names.numbers else feature_rows)(own, vocabulary[name])
        for name, own in values.items()
        if name in vocabulary
    }
    return Facts(
        movie_ids=movie_ids,
        movie_titles=filled(catalogue.titles),
        id_rows=id_rows,
        oov_rows=oov_rows,
        features=features,
        user_ids=vocabulary["user_id"],
        user_features={name: vocabulary[name] for name in names.users if name in vocabulary},
        asked={name: vocabulary[name] for name in names.asked if name in vocabulary},
        scale=None if train.unrated(scale) else scale,
        counts=train.counts,
        rated_counts=train.rated_counts,
        rating_sums=train.rating_sums,
        squares=train.squares,
        raters=train.raters,
        values=values,
        keys=vocabulary,
        trained_until=trained_until,
        numbers=names.numbers,
        categories=names.movie_categories,
        ages=_ages(catalogue, vocabulary, train.newest, names),
        normalised={
            name: normalised(numbers_of(values[name]), *spread[name])
            for name in features
            if name in spread
        },
    )


def _ages(
    catalogue: Catalogue, vocabulary: Mapping[str, list[bytes]], newest: int, names: Features
) -> Ages | None:
    known = {name: vocabulary[name] for name in names.movie_ages if name in vocabulary}
    if not known:
        return None
    born = [numbers_of(catalogue.values(date_of(name))) for name in known]
    return Ages(known, np.stack(born, 1), days(newest))


def movie_rows(
    movies: Sequence[bytes], known: Sequence[bytes], oov_buckets: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The row of each movie's id, and the out-of-vocabulary row it would have: int32 [movies] each.

    Rows of known movies come first, in the order of `known`; the other movies share the
    `oov_buckets` rows behind them, by a hash of their ids.
    """
    place = {movie: row for row, movie in enumerate(known)}
    oov_rows = len(known) + tf.strings.to_hash_bucket_fast(movies, oov_buckets).numpy()
    rows = [place.get(movie, oov) for movie, oov in zip(movies, oov_rows, strict=True)]
    return np.array(rows, np.int32), oov_rows.astype(np.int32)


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


def number_rows(values: Sequence[Sequence[bytes]], buckets: Sequence[bytes]) -> NDArray[Any]:
    """The row of the bucket that each movie's number lies in: int32 [movies, 1], -1 for unknown."""
    numbers = numbers_of(values)
    rows = bucket_rows(numbers, bounds_of(to_texts(buckets)))
    return np.where(np.isnan(numbers), -1, rows).astype(np.int32)[:, np.newaxis]


def numbers_of(values: Sequence[Sequence[bytes]]) -> NDArray[np.float32]:
    """Each movie's number, NaN where it is not known: float32 [movies]."""
    return np.array([float(own[0]) if own else np.nan for own in values], np.float32)


def normalised(numbers: NDArray[Any], mean: float, deviation: float) -> NDArray[np.float32]:
    """How many standard deviations each number is from the mean; 0 where it is not known."""
    away = np.clip((numbers - mean) / deviation, -FARTHEST, FARTHEST)
    return np.nan_to_num(away).astype(np.float32)
