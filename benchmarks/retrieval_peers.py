"""What others retrieve: popularity, ItemKNN, EASE, iALS and LightFM, tuned on valid.

Each peer scores every movie for every row. Peers that can read a history (all but LightFM) read
the row's own one, as Greenlight does; users whom LightFM never saw get its movie biases.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.data import Rows, Split
from components.evaluation.measures import rank_columns
from components.evaluation.metric_name import HIT_RATE, NDCG, MetricName
from components.model.linear import closed_form
from components.peers.learned import cosine_weights, together

Array = NDArray[Any]
# Scores float32 [rows, movies] of the rows between two numbers.
Scorer = Callable[[Rows, int, int], Array]
# Names its settings, and learns by one when it is called.
Peer = Callable[[Split], Iterator[tuple[str, Callable[[], Scorer]]]]
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


def best(split: Split, peer: Peer) -> str:
    """The peer's setting with the best NDCG@10 + hit rate@10 on valid."""

    def worth(scorer: Scorer) -> float:
        columns = rank_columns(ranks(split, split.valid, scorer), (10,))
        ndcg, hits = (columns[MetricName(measure, 10)] for measure in (NDCG, HIT_RATE))
        return float(np.mean(ndcg + hits))

    return max(peer(split), key=lambda named: worth(named[1]()))[0]


def learned(split: Split, peer: Peer, setting: str) -> Scorer:
    """The peer by one of its settings, learned from all of the split's train."""
    return next(learn for name, learn in peer(split) if name == setting)()


def popularity(split: Split) -> Iterator[tuple[str, Callable[[], Scorer]]]:
    """How often each movie was rated in train."""
    counts = np.bincount(split.train.movie, minlength=split.movies).astype(np.float32)

    def score(rows: Rows, start: int, stop: int) -> Array:
        return np.broadcast_to(counts, (stop - start, len(counts)))

    yield "", lambda: score


def _linear(split: Split, weights: Any) -> Scorer:
    def score(rows: Rows, start: int, stop: int) -> Array:
        scores = rows.matrix(split.movies)[start:stop] @ weights
        return scores.toarray() if sp.issparse(scores) else scores

    return score


def ease(split: Split) -> Iterator[tuple[str, Callable[[], Scorer]]]:
    """EASE (Steck, 2019) in closed form."""
    both = together(split.matrix())

    def learn(penalty: float) -> Scorer:
        return _linear(split, closed_form(both, penalty))

    for penalty in (100, 300, 1000):
        yield f"lambda {penalty}", partial(learn, penalty)


def item_knn(split: Split) -> Iterator[tuple[str, Callable[[], Scorer]]]:
    """Cosine between movies, shrunken, the nearest kept."""
    both = together(split.matrix())

    def learn(nearest: int, shrink: float) -> Scorer:
        return _linear(split, sp.csr_matrix(cosine_weights(both, nearest, shrink)))

    for nearest, shrink in product((20, 100, 400), (1.0, 20.0)):
        yield f"{nearest} nearest, shrink {shrink:g}", partial(learn, nearest, shrink)


def ials(split: Split) -> Iterator[tuple[str, Callable[[], Scorer]]]:
    """Alternating least squares (Hu and others, 2008) by `implicit`; users from their histories."""
    from implicit.als import AlternatingLeastSquares

    def learn(factors: int, penalty: float, alpha: float) -> Scorer:
        model = AlternatingLeastSquares(
            factors, regularization=penalty, alpha=alpha, iterations=15, random_state=42
        )
        model.fit(split.matrix(), show_progress=False)
        return _folded(split, model)

    for factors, penalty, alpha in product((16, 64, 128), (1.0, 10.0), (1.0, 10.0)):
        name = f"{factors} factors, reg {penalty:g}, alpha {alpha:g}"
        yield name, partial(learn, factors, penalty, alpha)


def _folded(split: Split, model: Any) -> Scorer:
    def score(rows: Rows, start: int, stop: int) -> Array:
        history = rows.matrix(split.movies)[start:stop] * model.alpha
        users = model.recalculate_user(np.arange(stop - start), history)
        return users @ model.item_factors.T

    return score


def lightfm(split: Split) -> Iterator[tuple[str, Callable[[], Scorer]]]:
    """LightFM (Kula, 2015) with the WARP loss."""
    from lightfm import LightFM

    def learn(components: int, epochs: int) -> Scorer:
        model = LightFM(no_components=components, loss="warp", random_state=42)
        model.fit(split.matrix().tocoo(), epochs=epochs, num_threads=2)
        return _by_user(split, model)

    for components, epochs in product((16, 64), (10, 30)):
        yield f"{components} components, {epochs} epochs", partial(learn, components, epochs)


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
