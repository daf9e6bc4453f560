"""How strong the product of each pair of parts is in the cross layers, on windows of train."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.experiments.crosses import CrossedRating, CrossedSum, rating_parts, side_by_side
from components.model.recommender import Recommender
from components.model.window import Window

Array = NDArray[Any]


class Crossed(NamedTuple):
    """The cross layers of one tower or head, with what they read at every target of a window.

    parts: float32 [batch, length, width] each.
    square: float32 [batch, length], the squared length of the outcome that pairs are a share of.
    """

    crosses: CrossedSum | CrossedRating
    parts: list[tf.Tensor]
    square: tf.Tensor


def strengths(model: Recommender, windows: Iterable[Window]) -> dict[str, dict[str, Any]]:
    """Measures the pairs of every tower and head that has cross layers.

    The paper of DCN-v2 reads a pair's strength off the kernel alone, by the norm of the block
    between both. Here the block is applied to the parts that occur, so that neither a part's scale
    nor pairs that never occur together mislead: a pair's strength is the root mean square of what
    it adds to the outcome (see `pair_effects`), divided by the root mean square of that outcome
    itself, a movie's or a query's vector; for ratings, in standard deviations of train's.

    Args:
      model: trained.
      windows: of train.

    Returns:
      By `candidate`, `query` and `rating`: `parts`, their names, and `strength`, one row of shares
      for each, symmetric. Towers and heads without cross layers, or with NaN, are left out.
    """
    sums: dict[str, list[Array]] = {}
    names: dict[str, tuple[str, ...]] = {}
    for window in windows:
        for name, crossed in _crossed(model, window):
            names[name] = crossed.crosses.parts
            sums.setdefault(name, []).append(_sums(crossed, window.present > 0))
    totals = {name: np.sum(found, axis=0) for name, found in sums.items()}
    shares = {name: np.sqrt(sums[..., 0] / sums[..., 1]) for name, sums in totals.items()}
    return {
        name: {"parts": list(names[name]), "strength": share.round(5).tolist()}
        for name, share in shares.items()
        if np.isfinite(share).all()
    }


def _crossed(model: Recommender, window: Window) -> Iterator[tuple[str, Crossed]]:
    tables, context = model.movie_tables(), model.moments(window)
    if isinstance(model.combine_movie, CrossedSum):
        parts = [tf.gather(part, window.movie) for part in model.movies.parts(model.facts)]
        yield "candidate", _of_vectors(model.combine_movie, parts)
    if isinstance(model.combine_query, CrossedSum):
        parts = side_by_side(model.query_parts(tables, context))
        yield "query", _of_vectors(model.combine_query, parts)
    head, rating = model.rating_head, tables.rating
    if head is not None and rating is not None and isinstance(head.interaction, CrossedRating):
        users = head.posteriors(rating, context)
        (solved,) = users.solve()
        parts = rating_parts(rating.parts, solved, users.features, window.movie)
        yield "rating", Crossed(head.interaction, parts, tf.ones_like(window.present))


def _of_vectors(crosses: CrossedSum, parts: list[tf.Tensor]) -> Crossed:
    return Crossed(crosses, parts, tf.reduce_sum(tf.square(crosses([parts])), -1))


def _sums(crossed: Crossed, present: tf.Tensor) -> Array:
    """Each pair's squared effect and the squared outcome, summed up: float64 [parts, parts, 2]."""
    rows = tf.boolean_mask(tf.stack(crossed.parts, 2), present)
    effects = pair_effects(rows, crossed.crosses.kernel(), crossed.crosses.outward())
    square = tf.reduce_sum(tf.square(effects), [0, 3])
    whole = tf.reduce_sum(tf.boolean_mask(crossed.square, present))
    both: Array = tf.stack([square, tf.broadcast_to(whole, tf.shape(square))], -1).numpy()
    return both.astype(np.float64)


def pair_effects(rows: tf.Tensor, kernel: tf.Tensor, outward: tf.Tensor) -> tf.Tensor:
    """What the product of two parts, in both orders, adds to the outcome.

    Args:
      rows: float32 [rows, parts, width].
      kernel: float32 [parts * width, parts * width], see `Crosses.kernel`.
      outward: float32 [parts * width, out], the weights from what is crossed to the outcome.

    Returns:
      float32 [rows, parts, parts, out], symmetric in the parts.
    """
    parts, width = rows.shape[1], rows.shape[2]
    kernel = tf.reshape(kernel, [parts, width, parts, width])
    products = tf.einsum("njd,jdie->njie", rows, kernel) * rows[:, tf.newaxis]
    effects = tf.einsum("njie,ieo->njio", products, tf.reshape(outward, [parts, width, -1]))
    once = 1.0 - 0.5 * tf.eye(parts)[..., tf.newaxis]  # a part's product with itself counts once
    return (effects + tf.transpose(effects, [0, 2, 1, 3])) * once
