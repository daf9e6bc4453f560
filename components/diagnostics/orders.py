"""What an order of lists gives and takes: hits against predicted ratings, over the mix of both."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.diagnostics.sample import sample
from components.evaluation.bootstrap import interval, replicate_sums
from components.exported.choosing import best_of, reorder
from components.exported.evaluation import HASHED_USERS
from components.exported.wishes import RETRIEVED
from components.model import scoring
from components.model.parsing import Lookup, ParsedExamples, history, parse
from components.model.protocol import Model
from components.model.scoring import BATCH
from components.model.tables import MovieTables

K = 10  # movies of a list
MIXES = tuple(tenths / 10 for tenths in range(11))
LEVEL, REPLICATES = 0.95, 500
Array = NDArray[Any]


def orders(
    model: Model,
    valid: Sequence[str],
    lookup: Lookup,
    rows: int,
    reach: int,
    loss: float,
    seed: int,
) -> dict[str, Any] | None:
    """Measures lists in every order of `MIXES` on rows of valid, and chooses one.

    Args:
      model: trained, and has not learned from valid.
      valid: TFRecord files of Examples of one target.
      lookup: tables to rows.
      rows: how many to draw at most.
      reach: how many of the newest events an ordered model reads.
      loss: see `chosen`.
      seed: of all draws.

    Returns:
      What `trade_off` returns, and the `mix` that is `chosen`; None where the model predicts no
      ratings, there is no row to measure, or its answers are not finite.
    """
    examples = sample(valid, rows if model.facts.rates else 0, np.random.default_rng(seed))
    if not len(examples):
        return None
    measure, users, parts = _graph(model, lookup, reach), [], []
    for start in range(0, len(examples), BATCH):
        user, *figures = measure(tf.constant(examples[start : start + BATCH], tf.string))
        users.append(user.numpy())
        parts.append(np.stack([column.numpy() for column in figures], 2))
    figures = np.concatenate(parts).astype(np.float64)
    if not np.isfinite(figures).all():
        return None
    hits, ratings = np.moveaxis(figures, 2, 0)
    curve = trade_off(np.concatenate(users), hits, ratings, seed)
    return {**curve, "loss": loss, "mix": chosen(curve["orders"], loss)}


def trade_off(users: Array, hits: Array, ratings: Array, seed: int) -> dict[str, Any]:
    """Hit rate and mean predicted rating of each order, over rows, with intervals over users.

    Args:
      users: int64 [rows], any identifying number.
      hits: float64 [rows, orders], 1 where the target is in the list.
      ratings: likewise, the mean predicted rating of each list.
      seed: of the bootstrap.

    Returns:
      rows, users, level and k; orders: for each the mix, `hit_rate` and `rating`, `low` and `high`
      of the hit rate, `kept`, the share of the hits of the first order that it has, and
      `surely_kept`, the low end of that share's interval.
    """
    columns = np.concatenate([np.ones([len(users), 1]), hits, ratings], axis=1)
    sums = replicate_sums(users, columns, REPLICATES, seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums[:, 1:] / sums[:, :1]
        rate, rating = np.split(means, 2, axis=1)
        kept = np.where(rate[:, :1] > 0, rate / rate[:, :1], 1.0)
    low, high = interval(rate[1:], LEVEL)
    surely, _ = interval(kept[1:], LEVEL)
    names = ("mix", "hit_rate", "low", "high", "rating", "kept", "surely_kept")
    rows = zip(MIXES, rate[0], low, high, rating[0], kept[0], surely, strict=True)
    return {
        "rows": len(users),
        "users": len(np.unique(users)),
        "level": LEVEL,
        "k": K,
        "orders": [dict(zip(names, map(float, row), strict=True)) for row in rows],
    }


def chosen(curve: Sequence[Mapping[str, float]], loss: float) -> float:
    """The greatest mix up to which every order surely loses no more than this share of the hits.

    Lists of the first order have the most hits and the lowest ratings, so that each step trades
    some of the one for the other; where a list has no hits at all there is nothing to trade. What
    few rows leave open is no reason to leave the order that the gates judge.
    """
    mix = 0.0
    for order in curve:
        if not order["hit_rate"] or order["surely_kept"] < 1.0 - loss:
            break
        mix = order["mix"]
    return mix


def _graph(model: Model, lookup: Lookup, reach: int) -> Any:
    """Measures serialized Examples: the users, whether each order hits, its mean rating.

    Of the latter two float32 [batch, orders] each.
    """
    tables = model.movie_tables()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def measure(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        parsed = parse(lookup, examples)
        lists = _lists(model, tables, parsed, reach)
        target = parsed.target[:, tf.newaxis]
        hits = [tf.reduce_any(own.rows == target, 1) for own in lists]
        # A list may end early: what is not there has no rating.
        ratings = [_mean(own.rating, tf.math.is_finite(own.score)) for own in lists]
        users = tf.strings.to_hash_bucket_fast(parsed.user_id, HASHED_USERS)
        return users, tf.cast(tf.stack(hits, 1), tf.float32), tf.stack(ratings, 1)

    return measure


def _lists(model: Model, tables: MovieTables, parsed: ParsedExamples, reach: int) -> list[Any]:
    """The lists of each order, as the server makes them."""
    window = history(parsed)
    scores = scoring.score(model, tables, window, reach, parsed.seen_movie)
    allowed = tf.where(scores.seen, -float("inf"), scores.model)
    reach_of = tf.minimum(RETRIEVED, tf.shape(allowed)[1]) * tf.ones_like(parsed.target)
    found = best_of(
        allowed, reach_of, lambda rows: scoring.rate(model, tables, window, rows, reach)
    )
    count = tf.minimum(K, tf.shape(allowed)[1])
    return [reorder(found, tf.ones_like(parsed.target, tf.float32) * mix, count) for mix in MIXES]


def _mean(values: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    count = tf.reduce_sum(tf.cast(there, tf.float32), 1)
    return tf.reduce_sum(tf.where(there, values, 0.0), 1) / tf.maximum(count, 1.0)
