"""Adds the linear path to a trained model, with the weight that ranks valid best."""

import itertools
import logging

import numpy as np
import scipy.sparse as sp
import tensorflow as tf
from numpy.typing import NDArray

from components.examples.records import BATCH
from components.model import scoring
from components.model.context import latest
from components.model.linear import LinearPath, closed_form
from components.model.parsing import Lookup, history, parse
from components.model.protocol import Model

logger = logging.getLogger("greenlight.trainer")

SHARES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
# In events, by whether their order means something.
HALF_LIVES = {True: (float("inf"), 30.0, 10.0, 3.0, 1.0), False: (float("inf"),)}


def add_linear_path(
    model: Model, train: tf.data.Dataset, valid: tf.data.Dataset, lookup: Lookup, reach: int
) -> None:
    """Gives the model a linear path, with the share and half-life that rank valid best.

    They are compared by NDCG without a cut. It moves with every rank, so that some thousand rows
    tell neighbouring shares apart, and unlike the cross-entropy it depends on the order alone.

    Args:
      model: trained.
      train: windows, serialized.
      valid: serialized Examples, batched. Without any, or where retrieval is no task, no path is
        added.
      lookup: tables to rows.
      reach: how many of the newest events an ordered model reads.
    """
    if not model.config.linear_movies or not model.config.retrieval_weight:
        return
    path = build_path(model, train, lookup)
    settings = [None, *itertools.product(HALF_LIVES[model.ordered], SHARES)]
    ndcg = _measure(model, path, valid, lookup, reach)
    if not len(ndcg):
        return
    best = int(np.argmax(ndcg))
    if chosen := settings[best]:
        half_life, share = chosen
        path.set(share, half_life)
        model.linear = path
    logger.info(
        "linear path: %s; NDCG on valid %.4f without it, %.4f with it",
        chosen or "none", ndcg[0], ndcg[best],
    )  # fmt: skip


def build_path(model: Model, train: tf.data.Dataset, lookup: Lookup) -> LinearPath:
    """The path between the most rated movies, from their counts in train; without a share yet."""
    counts = model.facts.counts
    most = np.argsort(-counts, kind="stable")[: model.config.linear_movies]
    covered = np.sort(most[counts[most] > 0])
    together = count_together(train, lookup, covered, len(counts))
    return LinearPath(len(counts), covered, closed_form(together, model.config.linear_penalty))


def count_together(
    train: tf.data.Dataset, lookup: Lookup, covered: NDArray[np.int64], movies: int
) -> NDArray[np.float32]:
    """Counts, in one streamed pass over train, how many windows hold both of two movies.

    Returns:
      float32 [covered, covered].
    """
    place = np.full(movies, -1)
    place[covered] = np.arange(len(covered))
    together = np.zeros([len(covered), len(covered)], np.float32)
    for batch in train.batch(BATCH):
        movie = parse(lookup, batch).movie
        column = place[movie.flat_values.numpy()]
        row = movie.value_rowids().numpy()[column >= 0]
        column = column[column >= 0]
        ones = np.ones(len(row), np.float32)
        windows = sp.csr_matrix((ones, (row, column)), (int(movie.nrows()), len(covered)))
        pairs = (windows.T @ windows).tocoo()
        together[pairs.row, pairs.col] += pairs.data
    return together


def _measure(
    model: Model,
    path: LinearPath,
    valid: tf.data.Dataset,
    lookup: Lookup,
    reach: int,
) -> NDArray[np.float64]:
    """Mean NDCG on valid: of the model alone, then under each half-life and share; or nothing."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def sum_up(examples: tf.Tensor) -> tf.Tensor:
        parsed = parse(lookup, examples)
        window, target = history(parsed), parsed.target
        scores = scoring.score(model, tables, window, reach, parsed.seen_movie)
        context = latest(window, reach, model.ordered)

        def ndcg(values: tf.Tensor) -> tf.Tensor:
            rank = scoring.expected_rank(values, target, scores.seen)
            return tf.reduce_sum(scoring.uncut_ndcg(rank))

        def by_share(half_life: float) -> tf.Tensor:
            added = path.unweighted(context, half_life)
            # A loop of the graph: unrolled, its tracing takes longer than the measurement.
            return tf.map_fn(
                lambda share: ndcg(scores.model + share * added),
                tf.constant(SHARES), parallel_iterations=1,
            )  # fmt: skip

        sums = [tf.cast(tf.shape(target)[0], tf.float32), ndcg(scores.model)]
        return tf.concat([sums, *map(by_share, HALF_LIVES[model.ordered])], 0)

    tables = model.movie_tables()
    sums = [sum_up(examples).numpy().astype(np.float64) for examples in valid]
    if not sums:
        return np.zeros(0)
    total = np.sum(sums, axis=0)
    return total[1:] / total[0]
