"""What each pair of features says in the cross layers, measured on windows of train."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.model.crosses import CrossedRating, CrossedSum, rating_parts
from components.model.rating import RatingHistory, solve
from components.model.recommender import Recommender
from components.model.window import Window, before, others

SAMPLED = 16  # steps of train that are measured
Array = NDArray[Any]


class Crossed(NamedTuple):
    """The cross layers of one tower or head, with what they read at every target of a window.

    parts: float32 [batch, length, width] each.
    square: float32 [batch, length], of the length of what the pairs are held against.
    """

    crosses: CrossedSum | CrossedRating
    parts: list[tf.Tensor]
    square: tf.Tensor


def strengths(model: Recommender, windows: Iterable[Window]) -> dict[str, dict[str, Any]]:
    """Measures the pairs of every tower and head that has cross layers.

    The paper of DCN-v2 reads a pair's strength off the kernel alone, by the norm of the block
    between both. Here the block is applied to what it meets, so that neither a part's scale nor
    what never occurs together misleads: a pair's strength is the root mean square of what it adds
    to the outcome (see `pair_effects`), in shares of the root mean square of that outcome itself,
    a movie's or a query's vector; for ratings, in standard deviations of train's.

    Args:
      model: trained.
      windows: of train.

    Returns:
      By `candidate`, `query` and `rating`: `parts`, their names, and `strength`, one row of shares
      for each, symmetric. What is off, or no number, is left out.
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
    tables = model.movie_tables()
    visible, age = (before if model.ordered else others)(window)
    if model.movie_crosses is not None:
        parts = [tf.gather(part, window.movie) for part in model.movies.parts(model.facts)]
        yield "candidate", _whole(model.movie_crosses, parts)
    if model.query_crosses is not None:
        parts = model.query_parts(tables, window, visible, age)
        yield "query", _whole(model.query_crosses, parts)
    head = model.rating_head
    if head is not None and head.crosses is not None:
        history = RatingHistory.of(window, visible, age)
        users = head.users(tables, history, window.user_features)
        solved = solve(users.precision, users.evidence[..., tf.newaxis])[..., 0]
        parts = rating_parts(tables["rating_parts"], solved, users.kinds, window.movie)
        yield "rating", Crossed(head.crosses, parts, tf.ones_like(window.present))


def _whole(crosses: CrossedSum, parts: list[tf.Tensor]) -> Crossed:
    return Crossed(crosses, parts, tf.reduce_sum(tf.square(crosses(parts)), -1))


def _sums(crossed: Crossed, present: tf.Tensor) -> Array:
    """Summed squares over a window: of each pair's effect, and of the whole [parts, parts, 2]."""
    rows = tf.boolean_mask(tf.stack(crossed.parts, 2), present)
    effects = pair_effects(rows, crossed.crosses.kernel(), crossed.crosses.outward())
    square = tf.reduce_sum(tf.square(effects), [0, 3])
    whole = tf.reduce_sum(tf.boolean_mask(crossed.square, present))
    both: Array = tf.stack([square, tf.broadcast_to(whole, tf.shape(square))], -1).numpy()
    return both.astype(np.float64)


def pair_effects(rows: tf.Tensor, kernel: tf.Tensor, outward: tf.Tensor) -> tf.Tensor:
    """What the product of two parts adds to the outcome, either way round.

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
    once = 1.0 - 0.5 * tf.eye(parts)[..., tf.newaxis]  # a part with itself is there but once
    return (effects + tf.transpose(effects, [0, 2, 1, 3])) * once
