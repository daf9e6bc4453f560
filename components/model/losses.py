"""Losses that do not depend on the batch's size and do not punish what a user also watched."""

import numpy as np
import tensorflow as tf

MASKED = -1e9


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
    """What is added to the candidates' logits, alike for all positions of a window.

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


def listwise_loss(scores: tf.Tensor, ratings: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """ListMLE (Xia and others, 2008): how unlikely the order by rating is, given the scores.

    The best movie is drawn first by softmax over all, then the next over the rest, and so on.
    Equal ratings have no order: it is drawn anew every time.

    Args:
      scores: float32 [batch, length].
      ratings: float32 [batch, length], on any scale.
      weights: float32 [batch, length], 0 for what is not in the list, 1 for all else.

    Returns:
      The mean over all that is listed: nats, a scalar; 0 where no list has two.
    """
    drawn = tf.argsort(tf.random.uniform(tf.shape(ratings)), axis=-1)
    keys = tf.gather(tf.where(weights > 0, -ratings, np.inf), drawn, batch_dims=1)
    order = tf.gather(drawn, tf.argsort(keys, axis=-1, stable=True), batch_dims=1)
    listed = tf.gather(weights, order, batch_dims=1)
    best_first = tf.where(listed > 0, tf.gather(scores, order, batch_dims=1), MASKED)
    rest = tf.math.cumulative_logsumexp(best_first, axis=-1, reverse=True)
    return weighted_mean(rest - best_first, listed)


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean of values under weights of the same shape; 0 where all weights are 0."""
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
