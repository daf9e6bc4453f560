"""Measures of recommendation lists beyond accuracy.

Lists are rows of the catalogue, int64 [users, k], -1 where a list ends early; histories likewise.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation import bootstrap
from components.examples.activity import Movies

SMOOTHING = 0.01  # Steck's alpha: the share of the history's genres that is mixed into a list's


def coverage(lists: NDArray[Any], movies: int) -> float:
    """Share of the catalogue that is in anyone's list.

    Catalogue coverage (Ge, Delgado-Battenfeld and Jannach, 2010). It grows with the users asked, so
    a resampled interval would lie below it: it has none.
    """
    return len(np.unique(lists[lists >= 0])) / movies


def novelty(lists: NDArray[Any], movies: Movies) -> NDArray[Any]:
    """Mean self-information of each list's movies in bits: float64 [users], NaN for an empty list.

    log2 of users over the movie's ratings (Zhou and others, 2010), one added to both.
    """
    bits = np.log2((movies.users + 1) / (movies.counts + 1))
    return _mean_of_rows(bits, lists)


def diversity(lists: NDArray[Any], movies: Movies) -> NDArray[Any]:
    """Mean distance of the pairs of each list: float64 [users], 0 all alike to 1 nothing shared.

    Intra-list diversity (Ziegler and others, 2005) with the Jaccard distance of genres; pairs of
    which one movie has no genre do not count. NaN where no pair is left.
    """
    genres = movies.genres[np.maximum(lists, 0)].astype(np.float32)
    genres *= (lists >= 0)[:, :, np.newaxis]
    sizes = genres.sum(2)
    shared = np.einsum("ukg,ulg->ukl", genres, genres)
    union = sizes[:, :, np.newaxis] + sizes[:, np.newaxis] - shared
    valid = (sizes > 0)[:, :, np.newaxis] & (sizes > 0)[:, np.newaxis]
    valid &= ~np.eye(lists.shape[1], dtype=bool)
    distance = np.where(valid, 1 - shared / np.maximum(union, 1), 0).sum((1, 2))
    pairs = valid.sum((1, 2))
    return np.where(pairs > 0, distance / np.maximum(pairs, 1), np.nan)


def genre_divergence(lists: NDArray[Any], history: NDArray[Any], movies: Movies) -> NDArray[Any]:
    """How far each list's genres are from the history's: float64 [users], 0 the same.

    The Kullback-Leibler divergence of calibrated recommendations (Steck, 2018): a movie spreads 1
    over its genres, and the list's shares are mixed with a hundredth of the history's. NaN where
    either side has no genre.
    """
    wanted, given = (_genre_shares(rows, movies) for rows in (history, lists))
    mixed = (1 - SMOOTHING) * given + SMOOTHING * wanted
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(wanted > 0, wanted * np.log(wanted / mixed), 0)
    empty = (wanted.sum(1) == 0) | (given.sum(1) == 0)
    return np.where(empty, np.nan, terms.sum(1))


def popularity_lift(
    lists: NDArray[Any], history: NDArray[Any], movies: Movies, weights: NDArray[Any]
) -> NDArray[Any]:
    """How much more popular the lists are than the histories, relative to these: [resamples].

    Delta GAP (Abdollahpouri and others, 2019), over the users who have a list and a history.

    Args:
      lists, history, movies: as for `measure`.
      weights: float64 [users, resamples], how often each resample holds each user.
    """
    listed, rated = (_mean_of_rows(movies.counts, rows) for rows in (lists, history))
    both = np.isfinite(listed) & np.isfinite(rated)
    sums = [np.where(both, part, 0) @ weights for part in (listed, rated)]
    with np.errstate(divide="ignore", invalid="ignore"):
        lift: NDArray[Any] = sums[0] / sums[1] - 1
    return lift


def measure(
    lists: NDArray[Any],
    history: NDArray[Any],
    movies: Movies,
    users: NDArray[Any],
    replicates: int,
    seed: int,
) -> dict[str, NDArray[Any]]:
    """All measures: name to float64 [1 + replicates], the value first, then its resamples.

    Coverage has no resamples. Measures that are a mean leave out the users for whom they are not
    defined.

    Args:
      lists, history: rows of the catalogue, -1 padded.
      movies: what is known of them.
      users: int64 [users], identifying numbers for the bootstrap.
      replicates: how many resamples.
      seed: of the resamples.
    """
    weights = np.concatenate(
        [np.ones([len(users), 1]), bootstrap.user_weights(users, replicates, seed)], axis=1
    )
    columns = {
        "novelty": novelty(lists, movies),
        "diversity": diversity(lists, movies),
        "genre_divergence": genre_divergence(lists, history, movies),
        "full_list": (lists >= 0).all(axis=1).astype(np.float64),
    }
    return {
        "coverage": np.array([coverage(lists, len(movies.counts))]),
        "popularity_lift": popularity_lift(lists, history, movies, weights),
        **{name: _resampled_mean(column, weights) for name, column in columns.items()},
    }


def with_intervals(
    measured: Mapping[str, NDArray[Any]], level: float
) -> dict[str, list[float | None]]:
    """Value, low and high end of each measure; no ends for one without resamples."""
    table: dict[str, list[float | None]] = {}
    for name, values in measured.items():
        ends = bootstrap.interval(values[1:], level) if len(values) > 1 else (np.nan, np.nan)
        table[name] = [float(v) if np.isfinite(v) else None for v in (values[0], *ends)]
    return table


def _resampled_mean(column: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """The mean over the users for whom the column is a number, once per column of weights."""
    ok = np.isfinite(column)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ok, column, 0) @ weights / (ok.astype(np.float64) @ weights)


def _mean_of_rows(values: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """The mean of the movies' values over each list: float64 [users], NaN for an empty one."""
    present = rows >= 0
    total = (values[np.maximum(rows, 0)] * present).sum(1)
    number = present.sum(1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _genre_shares(rows: NDArray[Any], movies: Movies) -> NDArray[Any]:
    """The share of each genre, float64 [users, genres], rows summing to 1 or 0."""
    spread = movies.genres / np.maximum(movies.genres.sum(1, keepdims=True), 1)
    # One genre at a time keeps a long history from filling the memory [users, length, genres].
    totals = np.stack(
        [(spread[np.maximum(rows, 0), g] * (rows >= 0)).sum(1) for g in range(spread.shape[1])]
        or [np.zeros(len(rows))],
        axis=1,
    )
    return totals / np.maximum(totals.sum(1, keepdims=True), 1e-12)
