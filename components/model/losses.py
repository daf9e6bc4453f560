"""Losses that do not depend on the batch's size; a user's other movies are no negatives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.model import randomness

MASKED = -1e9  # added to the logits of movies that are left out of a softmax


def softmax_loss(chosen: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of each target among the candidates.

    Args:
      chosen: float32 [batch, positions], the targets' logits; a target counts in its own
        denominator, whoever watched it.
      others: float32 [batch, positions], or one position for all targets: see `log_sum_exp`.

    Returns:
      float32 [batch, positions], in nats.
    """
    return tf.math.softplus(others - chosen)


@tf.custom_gradient
def log_sum_exp(
    query: tf.Tensor, vectors: tf.Tensor, bias: tf.Tensor, watched: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor | None, ...]]]:
    """The log of the sum of the candidates' exp(logit), but for those that the user watched.

    The user's other movies are left out: they are no negatives. A sampled candidate counts
    exp(logit)/Q times, Q being how often it is drawn, so that the sum estimates the whole
    catalogue's (the logQ correction of Bengio and Senecal, 2008). Both are in the bias.

    It is one operation with a gradient of its own, since nothing in a step is larger than the
    logits: they are kept once, as what they add to the sum.

    Args:
      query: float32 [batch, positions, dims].
      vectors: float32 [candidates, dims].
      bias: float32 [candidates], a candidate's popularity less the log of the expected number of
        times it is drawn (0 when the candidates are the whole catalogue).
      watched: bool [batch, candidates], true for every movie of the user's window.

    Returns:
      float32 [batch, positions].
    """
    batch, positions, dims = tf.unstack(tf.shape(query))
    # The bias is one more entry of the vectors, so that the products add it.
    rows = tf.concat([tf.reshape(query, [-1, dims]), tf.ones([batch * positions, 1])], 1)
    columns = tf.concat([vectors, bias[:, tf.newaxis]], 1)
    logits = tf.reshape(tf.matmul(rows, columns, transpose_b=True), [batch, positions, -1])
    logits += tf.where(watched, MASKED, 0.0)[:, tf.newaxis]
    most = tf.reduce_max(logits, -1, keepdims=True)
    added = tf.exp(logits - most)
    total = tf.reduce_sum(added, -1, keepdims=True)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        shares = added * (upstream[..., tf.newaxis] / total)
        shares = tf.reshape(shares, [batch * positions, -1])
        to_rows = tf.reshape(tf.matmul(shares, vectors), [batch, positions, dims])
        to_columns = tf.matmul(shares, rows, transpose_a=True)
        return to_rows, to_columns[:, :-1], to_columns[:, -1], None

    return (most + tf.math.log(total))[..., 0], gradient


def draw_candidates(counts: NDArray[Any], most: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws the softmax's movies: the most popular ones always, the others now and then.

    The softmax's mass lies with the popular movies; drawing uniformly only among the rest keeps the
    estimate's variance low.

    Args:
      counts: float64 [movies], train events per movie.
      most: how many movies to draw; smaller catalogues are taken whole.

    Returns:
      Rows int32 [candidates], and the log of how often each is expected, float32 [candidates].
    """
    movies = len(counts)
    by_popularity = np.argsort(-counts, kind="stable").astype(np.int32)
    if movies <= most:
        return tf.constant(by_popularity), tf.zeros([movies])
    head, rest = by_popularity[: most // 2], by_popularity[most // 2 :]
    draws = most - len(head)
    tail = tf.gather(rest, randomness.integers(draws, len(rest)))
    rates = np.zeros(most, np.float32)
    rates[len(head) :] = np.log(draws / len(rest))
    return tf.concat([head, tail], 0), tf.constant(rates)


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean of values under weights of the same shape; 0 where all weights are 0."""
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
