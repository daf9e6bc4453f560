"""Whether movies that are called similar are: by what people rate together who were held out.

    python -m benchmarks.similar [--source movielens-latest] [--data-dir DIR] [--seed 42]
        [--out runs/similar]

A model is trained on train alone (`training.refit=false`). For each movie that
somebody in valid rated, its ten nearest are asked for, and counted is which of the movies that the
same person rated in valid are among them. Popular movies are rated together with everything, so
`lift` says how many times as many pairs are found as if people chose by popularity alone.
"""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
import tensorflow as tf
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.accuracy import run_pipeline
from benchmarks.data import Rows, Split, read_split
from schemas.source import load_source

Array = NDArray[Any]
K, BATCH = 10, 512
SHRINK = 5.0  # of ItemKNN's cosine, in ratings


class Found(NamedTuple):
    """How many of the pairs that were held out are found.

    share: of all pairs, each person's weighing as much as they rated movies.
    lift: the pairs found over those that popularity alone would make of the same lists.
    same_years: share of neighbours that are at most a year apart.
    """

    share: float
    lift: float
    same_years: float


def main() -> None:
    """Trains a model and prints a row for each way to say what is similar."""
    options = _options()
    run = run_pipeline(
        options, Path(options.out, options.source), options.seed, ["training.refit=false"]
    )
    split = read_split(run.examples, run.catalogue, load_source(options.source).scale)
    model = tf.saved_model.load(f"{run.model}/Format-Serving")
    pairs = held_out_pairs(split.valid, split.movies)
    counts = np.bincount(split.train.movie, minlength=split.movies).astype(np.float32)
    asked = np.unique(pairs.nonzero()[0])
    years = model.catalogue.year.numpy()
    rows = {
        name: found(pairs, asked, near, counts, years)
        for name, near in _neighbours(model, split, counts, asked).items()
    }
    _show(rows, len(asked), int((pairs > 0).sum()))


def held_out_pairs(rows: Rows, movies: int) -> sp.csr_matrix:
    """Which movies the same people rated, [movies, movies], the diagonal empty.

    A person of n movies has n (n - 1) pairs, each of weight 1 / (n - 1).
    """
    known = rows.movie >= 0
    people, person = np.unique(rows.person[known], return_inverse=True)
    ones = np.ones(len(person), np.float32)
    rated = sp.csr_matrix((ones, (person, rows.movie[known])), (len(people), movies))
    rated.data[:] = 1.0
    others = np.maximum(np.asarray(rated.sum(1))[:, 0] - 1, 1)
    pairs = (rated.T @ sp.diags(1 / others) @ rated).tolil()
    pairs.setdiag(0)
    pairs = pairs.tocsr()
    pairs.eliminate_zeros()
    return pairs


def found(pairs: sp.csr_matrix, asked: Array, nearest: Array, counts: Array, years: Array) -> Found:
    """How many of the pairs are among neighbours.

    Args:
      pairs: see `held_out_pairs`.
      asked: rows of the movies whose neighbours were asked for, [asked].
      nearest: their neighbours' rows, [asked, k].
      counts: ratings in train, [movies].
      years: of the movies, [movies], 0 where unknown.
    """
    own = np.asarray(pairs[asked].sum(1))[:, 0]
    hits = np.asarray(pairs[np.repeat(asked, nearest.shape[1]), nearest.ravel()])[0]
    chance = (own[:, None] * (counts / counts.sum())[nearest]).sum()
    gap = np.abs(years[asked][:, None] - years[nearest])
    dated = (years[asked][:, None] > 0) & (years[nearest] > 0)
    share = float(hits.sum() / own.sum())
    return Found(share, float(hits.sum() / chance), float((gap <= 1)[dated].mean()))


def _neighbours(model: Any, split: Split, counts: Array, asked: Array) -> Mapping[str, Array]:
    vectors = model.tables["vectors"].numpy()
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    together = (split.matrix().T @ split.matrix()).tocsr()
    norms = np.sqrt(counts)

    def knn(rows: Array) -> Array:
        return together[rows].toarray() / (norms[rows][:, None] * norms + SHRINK)

    return {
        "popularity": _nearest(lambda rows: np.tile(counts, (len(rows), 1)), asked),
        "ItemKNN": _nearest(knn, asked),
        "cosine of the vectors": _nearest(lambda rows: unit[rows] @ unit.T, asked),
        "Greenlight's similar": _served(model, asked),
    }


def _nearest(scores: Any, asked: Array) -> Array:
    parts = []
    for start in range(0, len(asked), BATCH):
        rows = asked[start : start + BATCH]
        own = np.array(scores(rows), np.float32)
        own[np.arange(len(rows)), rows] = -np.inf
        parts.append(np.argsort(-own, axis=1, kind="stable")[:, :K])
    return np.concatenate(parts)


def _served(model: Any, asked: Array) -> Array:
    ids = model.catalogue.movie_id.numpy()
    place = {movie: row for row, movie in enumerate(ids)}
    parts = [
        model.signatures["similar"](
            movie_id=tf.constant(ids[asked[start : start + BATCH]]), k=tf.constant([K])
        )["movie_id"].numpy()
        for start in range(0, len(asked), BATCH)
    ]
    return np.array([[place[movie] for movie in own] for part in parts for own in part])


def _show(rows: Mapping[str, Found], movies: int, pairs: int) -> None:
    table = Table(title=f"{pairs:,} pairs of {movies:,} movies in valid", title_justify="left")
    table.add_column("")
    for name in (f"pairs found@{K}", "lift", "within a year"):
        table.add_column(name, justify="right")
    for label, one in rows.items():
        table.add_row(label, f"{one.share:.4f}", f"{one.lift:.2f}", f"{one.same_years:.0%}")
    Console(width=100).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", default="movielens-latest")
    parser.add_argument("--data-dir")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", default="runs/similar")
    parser.set_defaults(split="temporal", settings=["training.importance_rows=0"])
    return parser.parse_args()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
