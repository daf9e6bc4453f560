"""What others retrieve: popularity, ItemKNN, EASE, iALS and LightFM, tuned on valid.

Each peer scores every movie for every row. Peers that can read a history (all but LightFM) read
the row's own one, as Greenlight does; users whom LightFM never saw get its movie biases.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.data import Rows, Split
from components.evaluation.measures import rank_columns
from components.evaluation.metric_name import HIT_RATE, NDCG, MetricName

Array = NDArray[Any]
# Scores float32 [rows, movies] of the rows between two numbers.
Scorer = Callable[[Rows, int, int], Array]
Peer = Callable[[Split], Iterator[tuple[str, Scorer]]]
BATCH = 512


def ranks(split: Split, rows: Rows, scorer: Scorer) -> Array:
    """Each target's place among the movies not seen before; ties share their mean place.

    Returns:
      float64 [rows], 1 for the best.
    """
    seen, parts = rows.left_out(split.movies), []
    for start in range(0, len(rows.user), BATCH):
        stop = min(start + BATCH, len(rows.user))
        scores = np.array(scorer(rows, start, stop), np.float32)
        scores[seen[start:stop].nonzero()] = -np.inf
        index = np.arange(stop - start)
        own = scorer(rows, start, stop)[index, rows.movie[start:stop]].astype(np.float32)[:, None]
        scores[index, rows.movie[start:stop]] = -np.inf
        parts.append(1 + (scores > own).sum(1) + (scores == own).sum(1) / 2)
    return np.concatenate(parts)


def best(split: Split, peer: Peer) -> tuple[str, Scorer]:
    """The peer's setting with the best NDCG@10 + hit rate@10 on valid."""

    def worth(scorer: Scorer) -> float:
        columns = rank_columns(ranks(split, split.valid, scorer), (10,))
        ndcg, hits = (columns[MetricName(measure, 10)] for measure in (NDCG, HIT_RATE))
        return float(np.mean(ndcg + hits))

    return max(peer(split), key=lambda named: worth(named[1]))


def popularity(split: Split) -> Iterator[tuple[str, Scorer]]:
    """How often each movie was rated in train."""
    counts = np.bincount(split.train.movie, minlength=split.movies).astype(np.float32)
    yield "", lambda rows, start, stop: np.broadcast_to(counts, (stop - start, len(counts)))


def _linear(split: Split, weights: Any) -> Scorer:
    def score(rows: Rows, start: int, stop: int) -> Array:
        scores = rows.matrix(split.movies)[start:stop] @ weights
        return scores.toarray() if sp.issparse(scores) else scores

    return score


def ease(split: Split) -> Iterator[tuple[str, Scorer]]:
    """EASE (Steck, 2019) in closed form."""
    gram = (split.matrix().T @ split.matrix()).toarray().astype(np.float32)
    for penalty in (100, 300, 1000):
        inverse = np.linalg.inv(gram + penalty * np.eye(len(gram), dtype=np.float32))
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0)
        yield f"lambda {penalty}", _linear(split, weights)


def item_knn(split: Split) -> Iterator[tuple[str, Scorer]]:
    """Cosine between movies, shrunken, the nearest kept."""
    ones = split.matrix()
    gram = (ones.T @ ones).toarray().astype(np.float32)
    norms = np.sqrt(np.diag(gram))
    np.fill_diagonal(gram, 0)
    for nearest, shrink in product((20, 100, 400), (1.0, 20.0)):
        cosine = gram / (norms[:, None] * norms[None] + shrink)
        bounds = np.partition(cosine, -nearest, axis=0)[-nearest]
        weights = sp.csr_matrix(np.where(cosine >= bounds, cosine, 0))
        yield f"{nearest} nearest, shrink {shrink:g}", _linear(split, weights)


def ials(split: Split) -> Iterator[tuple[str, Scorer]]:
    """Alternating least squares (Hu and others, 2008) by `implicit`; users from their histories."""
    from implicit.als import AlternatingLeastSquares

    for factors, penalty, alpha in product((16, 64, 128), (1.0, 10.0), (1.0, 10.0)):
        model = AlternatingLeastSquares(
            factors, regularization=penalty, alpha=alpha, iterations=15, random_state=42
        )
        model.fit(split.matrix(), show_progress=False)
        yield f"{factors} factors, reg {penalty:g}, alpha {alpha:g}", _folded(split, model)


def _folded(split: Split, model: Any) -> Scorer:
    def score(rows: Rows, start: int, stop: int) -> Array:
        history = rows.matrix(split.movies)[start:stop] * model.alpha
        users = model.recalculate_user(np.arange(stop - start), history)
        return users @ model.item_factors.T

    return score


def lightfm(split: Split) -> Iterator[tuple[str, Scorer]]:
    """LightFM (Kula, 2015) with the WARP loss."""
    from lightfm import LightFM

    for components, epochs in product((16, 64), (10, 30)):
        model = LightFM(no_components=components, loss="warp", random_state=42)
        model.fit(split.matrix().tocoo(), epochs=epochs, num_threads=2)
        yield f"{components} components, {epochs} epochs", _by_user(split, model)


def _by_user(split: Split, model: Any) -> Scorer:
    users = np.vstack([model.user_embeddings, np.zeros_like(model.user_embeddings[:1])])

    def score(rows: Rows, start: int, stop: int) -> Array:
        return users[rows.user[start:stop]] @ model.item_embeddings.T + model.item_biases

    return score


PEERS: dict[str, Peer] = {
    "popularity": popularity,
    "ItemKNN": item_knn,
    "EASE": ease,
    "iALS": ials,
    "LightFM": lightfm,
}
