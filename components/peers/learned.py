"""What the peers learn: counts of movies, and weights between them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from components.evaluation.rated import Ratings, count_users, ratings_of
from components.examples.catalogue import Catalogue

DAY = 86_400 * 1_000_000  # microseconds
Array = NDArray[Any]


class Learned(NamedTuple):
    """What there is to learn from.

    counts: float64 [movies], ratings of each.
    recent: float64 [movies], those of the newest days; None where there are no times.
    watched: float32 [users, movies], 1 where a user rated a movie.
    """

    counts: Array
    recent: Array | None
    watched: sp.csr_matrix


def learn_from(splits: Mapping[str, Sequence[str]], movies: Catalogue, days: int) -> Learned:
    """Reads the ratings of some splits, by their files."""
    users, _ = count_users(splits)
    rated = ratings_of(splits, users, movies.ids)
    known = rated.movie >= 0
    rated = Ratings(*(column[known] for column in rated))
    pairs = (np.ones(len(rated.movie), np.float32), (rated.owner, rated.movie))
    watched = sp.csr_matrix(pairs, (len(users), len(movies)))
    counts, newest = np.bincount(rated.movie, minlength=len(movies)), None
    if rated.time.any():
        late = rated.time > rated.time.max() - days * DAY
        newest = np.bincount(rated.movie[late], minlength=len(movies)).astype(float)
    return Learned(counts.astype(float), newest, watched)


def most_rated(counts: Array, most: int) -> Array:
    """Rows of the most rated movies, ascending; none of which is never rated."""
    first = np.argsort(-counts, kind="stable")[:most]
    return np.sort(first[counts[first] > 0])


def together(watched: sp.csr_matrix) -> Array:
    """How many users watched both of two movies: float32 [movies, movies]."""
    return (watched.T @ watched).toarray().astype(np.float32)


def cosine_weights(both: Array, nearest: int, shrink: float) -> Array:
    """The weights of ItemKNN: the shrunken cosine of each movie's nearest, 0 for others.

    Args:
      both: see `together`.
      nearest: how many of the movies that speak for a movie are kept.
      shrink: added to the product of the lengths, so that few watchers say little.

    Returns:
      float32 [movies, movies], from what was watched to what is scored.
    """
    lengths = np.sqrt(np.diag(both))
    cosine = both / (np.outer(lengths, lengths) + np.float32(shrink))
    np.fill_diagonal(cosine, 0)
    nearest = min(nearest, len(cosine))
    bounds = np.partition(cosine, -nearest, axis=0)[-nearest]
    return np.where(cosine >= bounds, cosine, 0).astype(np.float32)
