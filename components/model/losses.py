"""Losses that do not depend on the batch's size and do not punish what a user also watched."""

import tensorflow as tf

MASKED = -1e9


def softmax_loss(
    chosen: tf.Tensor,
    logits: tf.Tensor,
    excluded: tf.Tensor,
    log_rates: tf.Tensor | float = 0.0,
) -> tf.Tensor:
    """Cross-entropy of the target among the candidates, the user's other movies left out.

    With sampled candidates each counts exp(logit)/Q times, Q being how often it is drawn, so that
    the sum estimates the whole catalogue's (the logQ correction of Bengio and Senecal, 2008).

    Args:
      chosen: float32 [batch, positions], the targets' logits.
      logits: float32 [batch, positions, candidates].
      excluded: bool [batch, candidates], true for every movie of the user's window; a target
        counts in its own denominator all the same.
      log_rates: float32 [candidates], log of the expected number of times each was drawn; 0 when
        the candidates are the whole catalogue.

    Returns:
      float32 [batch, positions], in nats.
    """
    mask = tf.where(excluded, MASKED, 0.0)[:, tf.newaxis]
    others = tf.reduce_logsumexp(logits - log_rates + mask, -1)
    return tf.math.softplus(others - chosen)


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean of values under weights of the same shape; 0 where all weights are 0."""
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
