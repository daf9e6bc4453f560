"""Everything that the gates ask of a reloaded model, in one pass.

Movies are given as rows of the catalogue, -1 for none, as ids may be long and many.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.evaluation.reload.job import Job, batched
from components.evaluation.reload.moments import ask, last_moments
from components.evaluation.reload.served import as_served, lists_by_id
from components.evaluation.reload.signatures import EVALUATE, RECOMMEND, check_signatures
from components.evaluation.reload.valid import measure_valid
from components.examples.records import records
from schemas.text import to_texts

MOVIE_ID = {"movie_id": tf.io.FixedLenFeature([], tf.string)}


def answers(job: Job) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Asks everything.

    Returns:
      Arrays and texts. The arrays are, by user at their last moment: `user` (a hash), `movies` and
      `again` (the lists of two askings, [users, k]), `ratings` (of the lists), `history` [users,
      longest], `target`, `rank`, `rating` and what else `evaluate` says, and `rated` (the target by
      `rate`). `left_out_owner` and `left_out` are pairs of users and the movies of their history or
      before it. `served` are the lists [people, k] by id alone. `valid_hit_rate` and `valid_rmse`
      are those of `measure_valid`. The texts are `people`, whose lists `served` are, and `pairs`:
      see `as_served`. A model that predicts no ratings has no answers on ratings.

    Raises:
      ValueError: a signature is missing, or takes or answers something else than it should.
    """
    signatures = tf.saved_model.load(job.model).signatures
    check_signatures(signatures, job)
    rows, moments = catalogue_rows(job.catalogue), last_moments(job)
    parts = [
        ask(signatures, examples, first, rows, job.k)
        for first, examples in batched([example for _, example in moments])
    ]
    names = parts[0] if parts else ()
    arrays = {name: _stacked([part[name] for part in parts]) for name in names}
    people = list(dict.fromkeys([*(user for user, _ in moments), *map(str.encode, job.people)]))
    arrays["served"] = lists_by_id(signatures[RECOMMEND], people, rows, job.k)
    texts = {"people": to_texts(people), "pairs": as_served(signatures, job)}
    return arrays | measure_valid(signatures[EVALUATE], job), texts


def catalogue_rows(files: Sequence[str]) -> tf.lookup.StaticHashTable:
    """A table from the catalogue's ids to their rows in these files, -1 for all others."""
    ids = [tf.io.parse_example(batch, MOVIE_ID)["movie_id"] for batch in records(files, 8192)]
    keys = tf.concat(ids or [tf.constant([], tf.string)], 0)
    pairs = tf.lookup.KeyValueTensorInitializer(keys, tf.range(len(keys)))
    return tf.lookup.StaticHashTable(pairs, -1)


def _stacked(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """The parts one after another, narrower ones padded with -1."""
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([
        np.pad(part, [(0, 0), (0, width - part.shape[1])], constant_values=-1) for part in parts
    ])  # fmt: skip
