"""The train windows: streamed, shuffled, batched by length."""

import functools
from collections.abc import Callable, Mapping

import tensorflow as tf

from components.model.parsing import Lookup, padded, parse
from components.model.window import Window, moments

BUCKETS = (10, 20, 35, 50, 75, 101, 150, 250, 400, 650, 1001)
SHUFFLED = 50_000  # windows mixed at once

COLUMNS = ("user", "user_features", "movie", "rating", "moment", "asked")


def batch_sizes(positions: int, longest: int) -> tuple[list[int], list[int]]:
    """Bucket bounds for window lengths and how many windows of each make a step."""
    bounds = [*(b for b in BUCKETS if b <= longest), longest + 1]
    return bounds, [max(1, positions // (bound - 1)) for bound in bounds]


def steps_per_epoch(lengths: Mapping[int, int], positions: int, longest: int) -> int:
    """How many batches `windows` makes of windows of these lengths (length to count)."""
    bounds, sizes = batch_sizes(positions, longest)
    counts = [0] * len(bounds)
    for length, count in lengths.items():
        counts[next(i for i, bound in enumerate(bounds) if length < bound)] += count
    return sum(-(-count // size) for count, size in zip(counts, sizes, strict=True))


def windows(
    examples: tf.data.Dataset, lookup: Lookup, positions: int, longest: int, seed: int
) -> tf.data.Dataset:
    """One epoch of train windows, shuffled by the seed, batched by length.

    Args:
      examples: windows, serialized.
      lookup: tables to rows.
      positions: about how many ratings a batch holds, padding included.
      longest: the greatest window length.
      seed: of the order; give every epoch its own.

    Returns:
      A dataset of `Window`, padded at the end.
    """
    bounds, sizes = batch_sizes(positions, longest)
    read = examples.map(_reader(lookup), tf.data.AUTOTUNE)
    buckets = read.shuffle(SHUFFLED, seed=seed).bucket_by_sequence_length(
        lambda example: tf.shape(example["movie"])[0],
        bounds[:-1],
        sizes,
        padding_values={
            "user": 0,
            "user_features": 0,
            "movie": -1,
            "rating": 0.0,
            "moment": 0,
            "asked": -1,
        },
        drop_remainder=False,
    )
    # Buckets fill in the data's rhythm; mixing the batches keeps the gradients from following it.
    return buckets.map(_dense, tf.data.AUTOTUNE).shuffle(64, seed=seed).prefetch(2)


@functools.lru_cache(maxsize=1)
def _reader(lookup: Lookup) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Reads a serialized window: for a lookup always the same function, traced only once."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    def window(example: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = parse(lookup, example[tf.newaxis])
        return {
            "user": parsed.user[0],
            "user_features": parsed.user_features[0],
            "movie": parsed.movie.values,
            "rating": parsed.rating.values,
            "moment": _moments(parsed.timestamp.values, parsed.movie.values),
            "asked": tf.concat([parsed.asked.flat_values, parsed.day.flat_values], 1),
        }

    read: Callable[[tf.Tensor], dict[str, tf.Tensor]] = window
    return read


@tf.function(autograph=False)
def _dense(batch: Mapping[str, tf.Tensor]) -> Window:
    return padded(*(batch[name] for name in COLUMNS))


def _moments(times: tf.Tensor, movie: tf.Tensor) -> tf.Tensor:
    """What `moments` gives; without times each event has a moment of its own: int32 [length]."""
    timed = tf.size(times) > 0
    return tf.cond(timed, lambda: moments(times), lambda: tf.range(tf.size(movie)))
