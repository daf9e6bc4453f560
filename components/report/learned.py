"""What the exported model learned of movies: a map of their vectors and the nearest neighbours."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.features import SEPARATOR
from schemas.text import to_text as text

MAPPED = 1500  # most rated movies on the map: it stays readable, and the page small
WITH_NEIGHBOURS = 10  # most rated movies whose neighbours are listed
NEAREST = 5  # neighbours of each
FEW = 5.0  # movies of a year whose mean is half believed
Array = NDArray[Any]


def learned(model: Any) -> dict[str, Any] | None:
    """Reads a map and neighbours of the movies most rated in train from the exported model.

    Args:
      model: a loaded SavedModel.

    Returns:
      movies: title, genres, year (0 where unknown), and x and y from -1 to 1.
      share: of the mapped vectors' variance, along x and along y, years apart.
      neighbours: title and the titles nearest to it, the closest first.
      None where the model has no vectors of movies, or where they are not finite or span no plane.
    """
    tables, catalogue = getattr(model, "tables", {}), getattr(model, "catalogue", None)
    if "vectors" not in tables or catalogue is None:
        return None
    vectors = tables["vectors"].numpy().astype(np.float64)
    order = np.argsort(-catalogue.ratings.numpy(), kind="stable")
    mapped = order[:MAPPED]
    if not np.isfinite(vectors).all() or np.linalg.matrix_rank(_centred(vectors[mapped])) < 2:
        return None
    points, share = plane(without_years(vectors[mapped], catalogue.year.numpy()[mapped]))
    return {
        "movies": _movies(catalogue, mapped, points / np.abs(points).max()),
        "share": share.round(3).tolist(),
        "neighbours": _neighbours(model, catalogue, order[:WITH_NEIGHBOURS]),
    }


def plane(vectors: Array) -> tuple[Array, Array]:
    """Principal component analysis in two dimensions.

    An axis points to where its largest weight is positive: either direction would do.

    Args:
      vectors: float [movies, dims], at least two of each.

    Returns:
      Places [movies, 2], and each axis' share of the variance [2].
    """
    centred = _centred(vectors)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, np.newaxis], 1)
    return centred @ (axes * np.sign(largest))[:2].T, (spread**2 / (spread**2).sum())[:2]


def without_years(vectors: Array, years: Array) -> Array:
    """Vectors [movies, dims] less what movies of one year share; few movies share little of it.

    What people watch together is mostly of the same years, and would fill the map.
    """
    _, place, counts = np.unique(years, return_inverse=True, return_counts=True)
    centred = _centred(vectors)
    sums = np.zeros([len(counts), vectors.shape[1]])
    np.add.at(sums, place, centred)
    return centred - (sums / (counts + FEW)[:, np.newaxis])[place]


def _centred(vectors: Array) -> Array:
    centred: Array = vectors - vectors.mean(0)
    return centred


def _movies(catalogue: Any, rows: Array, points: Array) -> list[dict[str, Any]]:
    years, genres = catalogue.year.numpy()[rows], catalogue.genre_names.numpy()[rows]
    places = points.round(3).tolist()
    return [
        {"title": title, "genres": text(own).split(SEPARATOR) if own else [], "year": year,
         "x": x, "y": y}
        for title, own, year, (x, y) in zip(
            _titles(catalogue, rows), genres, years.tolist(), places, strict=True
        )
    ]  # fmt: skip


def _neighbours(model: Any, catalogue: Any, rows: Array) -> list[dict[str, Any]]:
    """What the signature `similar` finds: what the server shows."""
    ids = tf.constant(catalogue.movie_id.numpy()[rows])
    found = model.signatures["similar"](movie_id=ids, k=tf.constant([NEAREST], tf.int32))
    shown = zip(found["movie_title"].numpy(), found["movie_id"].numpy(), strict=True)
    nearest = [[_named(*pair) for pair in zip(*own, strict=True) if pair[1]] for own in shown]
    return [
        {"title": title, "nearest": near}
        for title, near in zip(_titles(catalogue, rows), nearest, strict=True)
    ]


def _titles(catalogue: Any, rows: Array) -> list[str]:
    """Titles of rows; the id of a movie that has none."""
    titles, ids = catalogue.movie_title.numpy()[rows], catalogue.movie_id.numpy()[rows]
    return [_named(*pair) for pair in zip(titles, ids, strict=True)]


def _named(title: bytes, movie: bytes) -> str:
    return text(title) if title else f"movie {text(movie)}"
