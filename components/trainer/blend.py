"""Adds the linear path to a trained model, and chooses on valid how much it may say."""

import itertools
import logging
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import tensorflow as tf
from numpy.typing import NDArray

from components.examples.records import records
from components.model import scoring
from components.model.linear import LinearPath, closed_form
from components.model.parsing import Lookup, history, parse
from components.model.recommender import Recommender

logger = logging.getLogger("greenlight.trainer")

SHARES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
HALF_LIVES = {True: (float("inf"), 30.0, 10.0, 3.0, 1.0), False: (float("inf"),)}  # ordered: events


def add_linear_path(
    model: Recommender, train: Sequence[str], valid: tf.data.Dataset, lookup: Lookup, reach: int
) -> None:
    """Gives the model a linear path, with the share that ranks valid best.

    What is compared is NDCG without a cut: it moves with every rank, so some thousand rows tell
    neighbouring shares apart, and unlike the cross-entropy it is blind to mere sharpness.

    Args:
      model: trained.
      train: TFRecord files of windows.
      valid: serialized Examples, batched; where there are none, or retrieval is no task, no path
        is added.
      lookup: tables to rows.
      reach: how many of the newest events an ordered model reads.
    """
    if not model.config.linear_movies or not model.config.retrieval_weight:
        return
    counts = model.facts.counts
    most = np.argsort(-counts, kind="stable")[: model.config.linear_movies]
    covered = np.sort(most[counts[most] > 0])
    together = count_together(train, lookup, covered, len(counts))
    path = LinearPath(len(counts), covered, closed_form(together, model.config.linear_penalty))
    settings = list(itertools.product(HALF_LIVES[model.ordered], SHARES))
    gains = _measure(model, path, valid, lookup, reach)
    if not len(gains):
        return
    best = int(np.argmax(gains))
    if best:
        half_life, share = settings[best - 1]
        path.set(share, half_life)
        model.linear = path
    logger.info(
        "linear path: %s; NDCG on valid %.4f without it, %.4f with it",
        settings[best - 1] if best else "none", gains[0], gains[best],
    )  # fmt: skip


def count_together(
    files: Sequence[str], lookup: Lookup, covered: NDArray[np.int64], movies: int
) -> NDArray[np.float32]:
    """Counts, in one streamed pass over train, how many windows hold both of two movies.

    Returns:
      float32 [covered, covered].
    """
    place = np.full(movies, -1)
    place[covered] = np.arange(len(covered))
    together = np.zeros([len(covered), len(covered)], np.float32)
    for batch in records(files):
        movie = parse(lookup, batch).movie
        column = place[movie.flat_values.numpy()]
        row = movie.value_rowids().numpy()[column >= 0]
        column = column[column >= 0]
        ones = np.ones(len(row), np.float32)
        windows = sp.csr_matrix((ones, (row, column)), (int(movie.nrows()), len(covered)))
        found = (windows.T @ windows).tocoo()
        together[found.row, found.col] += found.data
    return together


def _measure(
    model: Recommender,
    path: LinearPath,
    valid: tf.data.Dataset,
    lookup: Lookup,
    reach: int,
) -> NDArray[np.float64]:
    """Mean NDCG on valid: of the model alone, then under each half-life and share."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def gains(examples: tf.Tensor) -> tf.Tensor:
        parsed = parse(lookup, examples)
        window, target = history(parsed), parsed.target
        scores = scoring.score(model, tables, window, reach, parsed.seen_movie)
        visible, age = scoring.reading(model, window, reach)

        def gain(values: tf.Tensor) -> tf.Tensor:
            rank = scoring.expected_rank(values, target, scores.seen)
            return tf.reduce_sum(np.log(2.0) / tf.math.log1p(rank))

        found = [tf.cast(tf.shape(target)[0], tf.float32), gain(scores.model)]
        for half_life in HALF_LIVES[model.ordered]:
            added = path.unweighted(window.movie, visible[:, 0], age, half_life)
            found.extend(gain(scores.model + share * added) for share in SHARES)
        return tf.stack(found)

    tables = model.movie_tables()
    sums = [gains(examples).numpy().astype(np.float64) for examples in valid]
    if not sums:
        return np.zeros(0)
    total = np.sum(sums, axis=0)
    return total[1:] / total[0]
