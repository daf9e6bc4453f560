"""Losses that do not depend on the batch's size and do not punish what a user also watched."""

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


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean of values under weights of the same shape; 0 where all weights are 0."""
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
