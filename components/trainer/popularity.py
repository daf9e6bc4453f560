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
SURE = 2.0  # standard errors that a gain must exceed: on few rows the best of three is mostly luck


def newest(
    counts: NDArray[np.float64],
    recent: Mapping[int, NDArray[np.float64]],
    valid: tf.data.Dataset,
    lookup: Lookup,
) -> int | None:
    """The number of newest days whose counts rank valid best, and surely better than all of train.

    They are compared by NDCG without a cut, seen movies left out, as all that valid chooses. What
    is popular of late is the stronger baseline where tastes or the catalogue move fast. None: all
    of train is as good.

    Args:
      counts: [movies], events of all of train.
      recent: by number of days the events [movies] of those last days of train.
      valid: serialized Examples, batched.
      lookup: tables to rows.
    """
    choices = (None, *recent)
    scores = np.stack([log_shares(part) for part in (counts, *recent.values())])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def measure(examples: tf.Tensor) -> tf.Tensor:
        parsed = parse(lookup, examples)
        seen = seen_movies(history(parsed), len(counts), parsed.seen_movie)

        def ndcg(values: NDArray[np.float32]) -> tf.Tensor:
            rank = scoring.expected_rank(
                tf.broadcast_to(values, tf.shape(seen)), parsed.target, seen
            )
            return scoring.uncut_ndcg(rank)

        return tf.stack([ndcg(values) for values in scores])

    rows = [measure(examples).numpy() for examples in valid] if recent else []
    if not rows:
        return None
    measured = np.concatenate(rows, axis=1).astype(np.float64)
    best = int(np.argmax(measured.mean(axis=1)))
    gain = measured[best] - measured[0]
    if gain.mean() <= SURE * gain.std() / np.sqrt(len(gain)):
        best = 0
    days = choices[best]
    logger.info("popularity: of %s", f"the last {days} days" if days else "all of train")
    return days
