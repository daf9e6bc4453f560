"""Which events the popularity baseline counts: all of train, or those of its newest days."""

import logging
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.model import scoring
from components.model.facts import log_shares
from components.model.parsing import Lookup, history, parse
from components.model.seen import seen_movies

logger = logging.getLogger("greenlight.trainer")

DAYS = (7, 30)


def newest(
    counts: NDArray[np.float64],
    recent: Mapping[int, NDArray[np.float64]],
    valid: tf.data.Dataset,
    lookup: Lookup,
) -> int | None:
    """The number of newest days whose counts rank valid best; None where all of train does.

    They are compared by NDCG without a cut, seen movies left out, as all that valid chooses. What
    is popular of late is the stronger baseline where tastes or the catalogue move fast.

    Args:
      counts: [movies], events of all of train.
      recent: by number of days the events [movies] of those last days of train.
      valid: serialized Examples, batched.
      lookup: tables to rows.
    """
    choices = (None, *recent)
    scores = np.stack([log_shares(part) for part in (counts, *recent.values())])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def sum_up(examples: tf.Tensor) -> tf.Tensor:
        parsed = parse(lookup, examples)
        seen = seen_movies(history(parsed), len(counts), parsed.seen_movie)

        def ndcg(values: NDArray[np.float32]) -> tf.Tensor:
            rank = scoring.expected_rank(
                tf.broadcast_to(values, tf.shape(seen)), parsed.target, seen
            )
            return tf.reduce_sum(scoring.uncut_ndcg(rank))

        return tf.stack([ndcg(values) for values in scores])

    sums = [sum_up(examples).numpy() for examples in valid] if recent else []
    if not sums:
        return None
    best = choices[int(np.argmax(np.sum(sums, axis=0, dtype=np.float64)))]
    logger.info("popularity: of %s", f"the last {best} days" if best else "all of train")
    return best
