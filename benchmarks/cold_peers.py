"""What needs no rating of a movie: likeness of texts, and popularity among the same genres."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.data import Array, Rows, Split
from benchmarks.retrieval_peers import Scorer

Rater = Callable[[Rows, int, int], Array]  # float [rows] of the rows between two numbers
DOUBT = 5.0  # ratings' worth of doubt in what a user's ratings of like movies say


def text_vectors(texts: Sequence[str]) -> sp.csr_matrix:
    """TF-IDF of words and pairs of words, of length 1: float32 [movies, terms]."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32)
    return vectorizer.fit_transform(texts)


def genre_matrix(genres: Sequence[Sequence[bytes]]) -> sp.csr_matrix:
    """Which movie has which genre, each row summing to 1: float32 [movies, genres]."""
    names = sorted({name for own in genres for name in own})
    place = {name: at for at, name in enumerate(names)}
    ones = sp.lil_matrix((len(genres), len(names)), dtype=np.float32)
    for row, own in enumerate(genres):
        for name in own:
            ones[row, place[name]] = 1.0 / len(own)
    return ones.tocsr()


def by_text(split: Split, vectors: sp.csr_matrix) -> Scorer:
    """Cosine to what the user liked: the history's texts, weighed by rating over the middle."""

    def score(rows: Rows, start: int, stop: int) -> Array:
        profile = _liked(split, rows, start, stop) @ vectors
        return (profile @ vectors.T).toarray()

    return score


def by_genre(split: Split, genres: sp.csr_matrix) -> Scorer:
    """How much of the user's history is of the movie's genres, times how popular it is there.

    A movie that nobody rated is as popular as its genres' movies are on average.
    """
    counts = np.bincount(split.train.movie, minlength=split.movies).astype(np.float32)
    usual = (counts @ genres) / np.maximum(np.asarray(genres.sum(0))[0], 1e-9)
    popularity = np.where(counts > 0, counts, genres @ usual)

    def score(rows: Rows, start: int, stop: int) -> Array:
        history = rows.matrix(split.movies)[start:stop]
        shares = (history @ genres).toarray() + 1e-3
        return np.asarray(shares @ genres.T.toarray()) * popularity

    return score


def rated_alike(split: Split, likeness: sp.csr_matrix) -> Rater:
    """The user's mean rating, and what they gave to movies like the target beyond it.

    Args:
      split: the data.
      likeness: float32 [movies, entries], rows of movies that are alike have a large product.
    """
    usual = float(split.train.rating.mean())

    def rate(rows: Rows, start: int, stop: int) -> Array:
        weights, given = rows.matrix(split.movies)[start:stop], _given(split, rows, start, stop)
        count = np.asarray(weights.sum(1))[:, 0]
        mean = (np.asarray(given.sum(1))[:, 0] + DOUBT * usual) / (count + DOUBT)
        target = likeness[rows.movie[start:stop]]
        like = weights.multiply(target @ likeness.T).tocsr()
        residual = given - sp.diags(mean) @ weights
        beyond = np.asarray(like.multiply(residual).sum(1))[:, 0]
        return mean + beyond / (np.asarray(like.sum(1))[:, 0] + 1.0)

    return rate


def predicted(split: Split, rater: Rater, batch: int = 512) -> Array:
    """What a rater says of all rows of eval, within the scale: float [rows]."""
    number = len(split.eval.user)
    parts = [rater(split.eval, at, min(at + batch, number)) for at in range(0, number, batch)]
    return np.clip(np.concatenate(parts), *split.scale)


def _given(split: Split, rows: Rows, start: int, stop: int) -> sp.csr_matrix:
    """The ratings of the histories, [rows, movies]."""
    first, last = rows.history.offsets[start], rows.history.offsets[stop]
    offsets = rows.history.offsets[start : stop + 1] - first
    index = rows.history.values[first:last]
    values = rows.history_rating[first:last].astype(np.float32)
    return sp.csr_matrix((values, index, offsets), (stop - start, split.movies))


def _liked(split: Split, rows: Rows, start: int, stop: int) -> sp.csr_matrix:
    """Ratings as shares of the scale, which is what each movie of a history counts."""
    given, (low, high) = _given(split, rows, start, stop), split.scale
    given.data = (given.data - low) / (high - low) + 1e-3
    return given
