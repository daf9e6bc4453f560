"""Who rated some movies in train, as a step reads it."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.model.facts import Facts
from components.model.tables import RatersOf


class Pairs(NamedTuple):
    """Pairs of movies and the users who rated them, sorted by movie, then user.

    place: int64 [pairs], the movie's place among those that were asked for.
    user: int32 [pairs], rows of the user table.
    weight: float32 [pairs], see `Raters`.
    """

    place: tf.Tensor
    user: tf.Tensor
    weight: tf.Tensor


def pairs_of(facts: Facts, movies: tf.Tensor | None) -> Pairs:
    """The raters of some movies, int32 [movies], ascending; of all movies where it is None."""
    raters = facts.raters
    user, weight = tf.constant(raters.user), tf.constant(raters.weight)
    if movies is None:
        return Pairs(tf.constant(raters.movie, tf.int64), user, weight)
    counts = np.bincount(raters.movie, minlength=len(facts.movie_ids))
    ends = np.cumsum(counts)
    starts = tf.gather(tf.constant(ends - counts), movies)
    chosen = tf.ragged.range(starts, tf.gather(tf.constant(ends), movies))
    rows = chosen.flat_values
    return Pairs(chosen.value_rowids(), tf.gather(user, rows), tf.gather(weight, rows))


def summed(pairs: Pairs, place: tf.Tensor, values: tf.Tensor, movies: tf.Tensor) -> tf.Tensor:
    """The weighted sum over each movie's raters: float32 [movies, width].

    Args:
      pairs: of `movies` movies.
      place: int32 [pairs], the raters' rows of `values`.
      values: float32 [raters, width].
      movies: how many movies there are, a scalar.
    """
    index = tf.stack([pairs.place, tf.cast(place, tf.int64)], 1)
    shape = tf.stack([tf.cast(movies, tf.int64), tf.shape(values, tf.int64)[0]])
    return tf.sparse.sparse_dense_matmul(tf.SparseTensor(index, pairs.weight, shape), values)


def keys(pairs: Pairs, facts: Facts) -> tf.Tensor:
    """Each pair as one number, in the order of places, then users: int64 [pairs]."""
    return _key(pairs.place, pairs.user, facts)


def _key(place: tf.Tensor, user: tf.Tensor, facts: Facts) -> tf.Tensor:
    return tf.cast(place, tf.int64) * (len(facts.user_ids) + 1) + tf.cast(user, tf.int64)


def own_part(raters: RatersOf, facts: Facts, target: tf.Tensor, user: tf.Tensor) -> tf.Tensor:
    """What each user adds to targets, as one of their raters: float32 [batch, targets, width].

    `target` int32 [batch, targets] are places among the movies that the raters are of, `user` int32
    [batch] rows of the user table.
    """
    asked = _key(target, user[:, tf.newaxis], facts)
    pair = tf.reshape(tf.searchsorted(raters.pairs, tf.reshape(asked, [-1])), tf.shape(asked))
    is_rater = tf.gather(raters.pairs, pair) == asked
    share = tf.where(is_rater, tf.gather(raters.weight, pair), 0.0)
    return share[..., tf.newaxis] * tf.gather(raters.values, tf.gather(raters.rater, pair))
