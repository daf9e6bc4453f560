"""How others rate: biases, SVD, SVD++, KNNBaseline and myFM, tuned on valid."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.data import Rows, Split

Array = NDArray[Any]
Rater = Callable[[Rows], Array]
# Names its settings, and learns by one when it is called.
Peer = Callable[[Split], Iterator[tuple[str, Callable[[], Rater]]]]


def rmse(split: Split, rows: Rows, rater: Rater) -> float:
    """Of predictions clipped to the scale."""
    return float(np.sqrt(np.mean(np.square(clipped(split, rows, rater) - rows.rating))))


def clipped(split: Split, rows: Rows, rater: Rater) -> Array:
    """Predictions within the scale, [rows]."""
    return np.clip(rater(rows), *split.scale)


def best(split: Split, peer: Peer) -> str:
    """The peer's setting with the least RMSE on valid."""
    return min(peer(split), key=lambda named: rmse(split, split.valid, named[1]()))[0]


def learned(split: Split, peer: Peer, setting: str) -> Rater:
    """The peer by one of its settings, learned from all of the split's train."""
    return next(learn for name, learn in peer(split) if name == setting)()


def movie_bias(split: Split, doubt: float) -> tuple[float, Array]:
    """Train's mean, and each movie's shrunken mean residual."""
    train = split.train
    mean = float(train.rating.mean())
    sums = np.bincount(train.movie, train.rating - mean, split.movies)
    return mean, sums / (np.bincount(train.movie, minlength=split.movies) + doubt)


def bias(split: Split) -> Iterator[tuple[str, Callable[[], Rater]]]:
    """Mean, movie and user bias; the user's from the row's history, evenly or recency-weighted."""
    for movies, users, half_life in (
        (m, u, h) for m in (3.0, 10.0) for u in (2.0, 5.0, 10.0) for h in (8.0, 30.0, np.inf)
    ):
        mean, known = movie_bias(split, movies)

        def rate(
            rows: Rows,
            mean: float = mean,
            known: Array = known,
            users: float = users,
            half_life: float = half_life,
        ) -> Array:
            owner = rows.history.owners
            age = rows.history.offsets[1:][owner] - 1 - np.arange(len(owner))
            weight = 0.5 ** (age / half_life)
            residual = (rows.history_rating - mean - known[rows.history.values]) * weight
            total = np.bincount(owner, residual, len(rows.user))
            count = np.bincount(owner, weight, len(rows.user))
            return mean + known[rows.movie] + total / (count + users)

        name = f"doubt {movies:g} and {users:g}, half-life {half_life:g}"
        yield name, lambda rate=rate: rate  # type: ignore[misc]  # it is bound here and now


def _surprise(split: Split, algorithm: Any) -> Rater:
    import surprise

    train = split.train
    frame = _frame(train.user, train.movie, train.rating)
    reader = surprise.Reader(rating_scale=split.scale)
    algorithm.fit(surprise.Dataset.load_from_df(frame, reader).build_full_trainset())

    def rate(rows: Rows) -> Array:
        pairs = zip(rows.user.tolist(), rows.movie.tolist(), strict=True)
        return np.array([algorithm.predict(user, movie).est for user, movie in pairs])

    return rate


def _frame(user: Array, movie: Array, rating: Array) -> Any:
    import pandas as pd

    return pd.DataFrame({"user": user, "movie": movie, "rating": rating})


def svd(split: Split) -> Iterator[tuple[str, Callable[[], Rater]]]:
    """Matrix factorisation by Surprise; users that train does not have get the movie's bias."""
    import surprise

    for factors, penalty, epochs in (
        (20, 0.05, 30),
        (100, 0.05, 30),
        (100, 0.1, 50),
        (50, 0.02, 20),
    ):
        made = surprise.SVD(n_factors=factors, reg_all=penalty, n_epochs=epochs, random_state=42)
        name = f"{factors} factors, reg {penalty:g}, {epochs} epochs"
        yield name, partial(_surprise, split, made)


def svdpp(split: Split) -> Iterator[tuple[str, Callable[[], Rater]]]:
    """SVD++ (Koren, 2008) by Surprise."""
    import surprise

    for penalty, epochs in ((0.02, 20), (0.05, 30)):
        made = surprise.SVDpp(reg_all=penalty, n_epochs=epochs, random_state=42, cache_ratings=True)
        yield f"20 factors, reg {penalty:g}, {epochs} epochs", partial(_surprise, split, made)


def knn(split: Split) -> Iterator[tuple[str, Callable[[], Rater]]]:
    """KNNBaseline (Koren, 2010) by Surprise, over movies."""
    import surprise

    for nearest in (20, 40, 80):
        similar = {"name": "pearson_baseline", "user_based": False, "shrinkage": 100}
        made = surprise.KNNBaseline(k=nearest, sim_options=similar, verbose=False)
        yield f"{nearest} nearest", partial(_surprise, split, made)


def myfm(split: Split) -> Iterator[tuple[str, Callable[[], Rater]]]:
    """Bayesian factorisation machine with both histories, that is SVD++ both ways, by `myfm`.

    A row's user is its id, if train has it, and the movies of the row's history; its movie is its
    id and the users who rated it in train.
    """
    from myfm import MyFMRegressor, RelationBlock

    train = split.train
    watched = _normal(split.matrix())
    users = sp.hstack([sp.identity(split.users, format="csr"), watched], format="csr")
    raters = _normal(split.matrix().T.tocsr())
    movies = sp.hstack([sp.identity(split.movies, format="csr"), raters], format="csr")

    def learn(rank: int) -> Rater:
        model = MyFMRegressor(rank=rank, random_seed=42)
        shape = [users.shape[1], movies.shape[1]]
        groups = [split.users, split.movies, split.movies, split.users]
        assert sum(groups) == sum(shape)
        model.fit(
            None,
            train.rating,
            X_rel=[RelationBlock(train.user, users), RelationBlock(train.movie, movies)],
            group_shapes=groups,
            n_iter=300,
            n_kept_samples=280,
        )

        def rate(rows: Rows) -> Array:
            known = rows.user < split.users
            index = (np.flatnonzero(known), rows.user[known])
            shape = (len(rows.user), split.users)
            ids = sp.csr_matrix((np.ones(known.sum()), index), shape)
            users = sp.hstack([ids, _normal(rows.matrix(split.movies))], format="csr")
            blocks = [
                RelationBlock(np.arange(len(rows.user)), users),
                RelationBlock(rows.movie, movies),
            ]
            return model.predict(None, blocks)

        return rate

    for rank in (8, 16):
        yield f"rank {rank}, 300 iterations", partial(learn, rank)


def _normal(matrix: Any) -> sp.csr_matrix:
    """Rows divided by the root of their count."""
    counts = np.maximum(np.asarray(matrix.sum(1)).ravel(), 1)
    return sp.diags(1 / np.sqrt(counts)) @ matrix


PEERS: dict[str, Peer] = {
    "user+movie bias": bias,
    "SVD": svd,
    "SVD++": svdpp,
    "KNNBaseline": knn,
    "myFM": myfm,
}
