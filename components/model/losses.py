"""Losses that do not depend on the batch's size; a user's other movies are no negatives."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

MASKED = -1e9  # added to the logits of movies that are left out of a softmax


def softmax_loss(chosen: tf.Tensor, logits: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of each target among the candidates.

    Args:
      chosen: float32 [batch, positions], the targets' logits; a target counts in its own
        denominator whatever the offset says.
      logits: float32 [batch, positions, candidates].
      offset: float32 [batch, candidates], see `candidate_offset`.

    Returns:
      float32 [batch, positions], in nats.
    """
    others = tf.reduce_logsumexp(logits + offset[:, tf.newaxis], -1)
    return tf.math.softplus(others - chosen)


def candidate_offset(
    bias: tf.Tensor, watched: tf.Tensor, log_rates: tf.Tensor | float
) -> tf.Tensor:
    """What is added to the candidates' logits, the same at all positions of a window.

    The user's other movies are left out: they are no negatives. A sampled candidate counts
    exp(logit)/Q times, Q being how often it is drawn, so that the sum estimates the whole
    catalogue's (the logQ correction of Bengio and Senecal, 2008).

    Args:
      bias: float32 [candidates].
      watched: bool [batch, candidates], true for every movie of the user's window.
      log_rates: float32 [candidates], log of the expected number of times each is drawn; 0 when
        the candidates are the whole catalogue.

    Returns:
      float32 [batch, candidates].
    """
    return tf.where(watched, MASKED, bias - log_rates)


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
    tail = tf.gather(rest, tf.random.uniform([draws], maxval=len(rest), dtype=tf.int32))
    rates = np.zeros(most, np.float32)
    rates[len(head) :] = np.log(draws / len(rest))
    return tf.concat([head, tail], 0), tf.constant(rates)


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean of values under weights of the same shape; 0 where all weights are 0."""
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
