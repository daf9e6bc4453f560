"""From serialized Examples to the model's inputs: parsing, look-ups and padding, in the graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.examples.ages import DAY, days
from components.model.window import Window, apart

STRINGS = tf.io.RaggedFeature(tf.string)
FLOATS = tf.io.RaggedFeature(tf.float32)


class Buckets(tf.Module):
    """Numbers to the rows of their buckets, NaN to the row behind the last, as tables map names."""

    key_dtype = tf.float32

    def __init__(self, bounds: Sequence[float]) -> None:
        """Makes one bucket more than there are bounds, which ascend."""
        super().__init__()
        self._bounds = [float(bound) for bound in bounds]

    def size(self) -> int:
        """How many buckets there are."""
        return len(self._bounds) + 1

    def lookup(self, numbers: tf.Tensor) -> tf.Tensor:
        """Rows, int32 of the shape of the numbers."""
        rows = tf.raw_ops.Bucketize(input=numbers, boundaries=self._bounds)
        return tf.where(tf.math.is_nan(numbers), self.size(), rows)


@dataclass(frozen=True, eq=False)
class Lookup:
    """Tables from names to rows.

    movie: catalogue ids to rows, unknown ones to -1.
    user: train users to rows, unknown ones to the row behind the last.
    user_features: for each feature, its values to rows, unknown ones to the row behind the last;
      of numbers, their buckets.
    asked: the same for each feature of a rating that is known when somebody asks.
    days: whether the day of each moment is read as well, from which the ages of movies follow.
    """

    movie: tf.lookup.StaticHashTable
    user: tf.lookup.StaticHashTable
    user_features: Mapping[str, tf.lookup.StaticHashTable | Buckets]
    asked: Mapping[str, tf.lookup.StaticHashTable | Buckets] = field(default_factory=dict)
    days: bool = False

    def told(self, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Rows of what is told of moments, any shape: int32 [..., features], -1 unknown."""
        rows = [self._known(own, values[name]) for name, own in self.asked.items()]
        return tf.stack(rows, -1)

    @staticmethod
    def _known(own: tf.lookup.StaticHashTable | Buckets, values: tf.Tensor) -> tf.Tensor:
        rows = own.lookup(values)
        return tf.where(rows < tf.cast(own.size(), tf.int32), rows, -1)


class ParsedExamples(NamedTuple):
    """Examples of users at a moment, with rows in place of names.

    user_id: string [batch].
    user: int32 [batch], rows of the user table; out of vocabulary: the row behind the last.
    user_features: int32 [batch, features], rows of each feature's values, likewise.
    movie: int32 [batch, (targets)], rows of the catalogue, -1 where unknown.
    rating: float32 [batch, (targets)], NaN where a target is not rated.
    timestamp: int64 [batch, (targets)], microseconds since 1970; empty where the data have no time.
    history_movie: int32 [batch, (events)], the events before the targets, newest last.
    history_rating: float32 [batch, (events)], NaN where an event is not rated.
    seen_movie: int32 [batch, (seen)], what was seen before the history.
    asked: int32 [batch, (targets), features], see `Window.asked`.
    day: int32 [batch, (targets), 1], the day of each target since 1970, -1 unknown; of the last
      axis nothing where the model reads no ages of movies.
    """

    user_id: tf.Tensor
    user: tf.Tensor
    user_features: tf.Tensor
    movie: tf.RaggedTensor
    rating: tf.RaggedTensor
    timestamp: tf.RaggedTensor
    history_movie: tf.RaggedTensor
    history_rating: tf.RaggedTensor
    seen_movie: tf.RaggedTensor
    asked: tf.RaggedTensor
    day: tf.RaggedTensor

    @property
    def target(self) -> tf.Tensor:
        """The only target of each Example of valid and eval: int32 [batch], -1 where unknown."""
        return self.movie.to_tensor(-1)[:, 0]

    @property
    def target_rating(self) -> tf.Tensor:
        """What the only target was given: float32 [batch], NaN where it is not rated."""
        return self.rating.to_tensor(np.nan)[:, 0]


def unknown_value(dtype: tf.DType) -> str | float:
    """What stands for an unknown value of a feature: '' or, of numbers, NaN."""
    return "" if dtype == tf.string else float("nan")


def one_value(dtype: tf.DType) -> tf.io.FixedLenFeature:
    """How Examples hold a feature of users: one value, or none where it is unknown."""
    return tf.io.FixedLenFeature([], dtype, unknown_value(dtype))


def table(keys: Sequence[bytes], default: int) -> tf.lookup.StaticHashTable:
    """A table from keys to their positions."""
    pairs = tf.lookup.KeyValueTensorInitializer(
        tf.constant(list(keys), tf.string), tf.range(len(keys), dtype=tf.int32)
    )
    return tf.lookup.StaticHashTable(pairs, default)


def parse(lookup: Lookup, examples: tf.Tensor) -> ParsedExamples:
    """Reads serialized Examples, string [batch], with or without ratings and times."""
    spec = {
        "movie_id": STRINGS,
        "rating": FLOATS,
        "timestamp": tf.io.RaggedFeature(tf.int64),
        "history_movie_id": STRINGS,
        "history_rating": FLOATS,
        "seen_movie_id": STRINGS,
        **{name: one_value(known.key_dtype) for name, known in lookup.user_features.items()},
        **{name: tf.io.RaggedFeature(known.key_dtype) for name, known in lookup.asked.items()},
        "user_id": tf.io.FixedLenFeature([], tf.string),
    }
    read = tf.io.parse_example(examples, spec)
    features = [t.lookup(read[name]) for name, t in lookup.user_features.items()]
    movie, history_movie, seen_movie = (
        tf.ragged.map_flat_values(lookup.movie.lookup, read[name])
        for name in ("movie_id", "history_movie_id", "seen_movie_id")
    )
    return ParsedExamples(
        user_id=read["user_id"],
        user=lookup.user.lookup(read["user_id"]),
        user_features=tf.stack(features, 1) if features else no_features(read["user_id"]),
        movie=movie,
        rating=with_gaps(read["rating"], movie),
        timestamp=read["timestamp"],
        history_movie=history_movie,
        history_rating=with_gaps(read["history_rating"], history_movie),
        seen_movie=seen_movie,
        asked=movie.with_flat_values(_asked(lookup, read, movie)),
        day=movie.with_flat_values(_day(lookup, read["timestamp"], movie)),
    )


def _day(lookup: Lookup, times: tf.RaggedTensor, movie: tf.RaggedTensor) -> tf.Tensor:
    """The day of each target, int32 [all targets, 1]; [all targets, 0] where none is read."""
    if not lookup.days:
        return tf.zeros([tf.size(movie.flat_values), 0], tf.int32)
    known = with_gaps(times, movie, -DAY).flat_values
    return tf.cast(days(known), tf.int32)[:, tf.newaxis]


def _asked(
    lookup: Lookup, read: Mapping[str, tf.RaggedTensor], movie: tf.RaggedTensor
) -> tf.Tensor:
    """What is told of each target's moment, int32 [all targets, features]; what is not is -1."""
    if not lookup.asked:
        return tf.zeros([tf.size(movie.flat_values), 0], tf.int32)
    values = {
        name: with_gaps(read[name], movie, unknown_value(known.key_dtype)).flat_values
        for name, known in lookup.asked.items()
    }
    return lookup.told(values)


def with_gaps(
    rating: tf.RaggedTensor, movie: tf.RaggedTensor, gap: float | int | str = np.nan
) -> tf.RaggedTensor:
    """Ratings, or other values, with a gap behind the last one of each row: as many as movies.

    Raises:
      tf.errors.InvalidArgumentError: a row has more of them than movies.
    """
    lengths = rating.row_lengths()
    fits = tf.debugging.assert_less_equal(
        lengths, movie.row_lengths(), "an Example has more ratings than movies"
    )
    with tf.control_dependencies([fits] if fits is not None else []):
        shift = tf.repeat(movie.row_starts() - rating.row_starts(), lengths)
    places = tf.range(tf.size(rating.flat_values, shift.dtype)) + shift
    gaps = tf.fill([tf.size(movie.flat_values)], tf.constant(gap, rating.dtype))
    values = tf.tensor_scatter_nd_update(gaps, places[:, tf.newaxis], rating.flat_values)
    return movie.with_flat_values(values)


def no_features(users: tf.Tensor) -> tf.Tensor:
    """User features where there are none: int32 [batch, 0]."""
    return tf.zeros([tf.shape(users)[0], 0], tf.int32)


def padded(
    user: tf.Tensor,
    features: tf.Tensor,
    movie: tf.Tensor,
    rating: tf.Tensor,
    moment: tf.Tensor | None = None,
    asked: tf.Tensor | None = None,
) -> Window:
    """A window of dense movies (int32, -1 where padded or unknown) and ratings (NaN: not rated).

    Without `moment` each event has a moment of its own; that matters only where more is predicted
    than what comes after the last event. Without `asked` the model has no features of moments.
    """
    there = movie >= 0
    rated = there & ~tf.math.is_nan(rating)
    present, given = tf.cast(there, tf.float32), tf.where(rated, rating, 0.0)
    rows = tf.maximum(movie, 0)
    moment = apart(movie) if moment is None else moment
    asked = tf.zeros([tf.shape(movie)[0], 1, 0], tf.int32) if asked is None else asked
    return Window(user, features, rows, given, present, tf.cast(rated, tf.float32), moment, asked)


def newest_last(movie: tf.RaggedTensor, rating: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pads histories at the front, by one event at least, so that the newest come last.

    Events of unknown movies are left out: they would make the others look older than they are.
    """
    known = movie >= 0
    movie, rating = tf.ragged.boolean_mask(movie, known), tf.ragged.boolean_mask(rating, known)
    movies = tf.reverse(tf.reverse(movie, [1]).to_tensor(-1), [1])
    ratings = tf.reverse(tf.reverse(rating, [1]).to_tensor(0.0), [1])
    front = [[0, 0], [1, 0]]
    return tf.pad(movies, front, constant_values=-1), tf.pad(ratings, front)


def history(parsed: ParsedExamples) -> Window:
    """The histories of parsed Examples, padded at the front, and what is told of the moment.

    Its day is not: as where people ask, it is the newest that the model knows of.
    """
    movies, ratings = newest_last(parsed.history_movie, parsed.history_rating)
    width, dated = (own.flat_values.shape[1] for own in (parsed.asked, parsed.day))
    told = parsed.asked.to_tensor(-1, shape=[None, 1, width]) if width else None
    return padded(
        parsed.user, parsed.user_features, movies, ratings, asked=with_day(parsed.user, told, dated)
    )


def with_day(users: tf.Tensor, told: tf.Tensor | None, days: bool | int) -> tf.Tensor | None:
    """What is told of a moment, int32 [batch, 1, features], and its day, which nobody tells: -1."""
    if not days:
        return told
    day = tf.fill([tf.shape(users)[0], 1, 1], -1)
    return day if told is None else tf.concat([told, day], -1)
