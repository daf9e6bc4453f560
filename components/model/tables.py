"""What a model knows of every movie of the catalogue."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf


class RatingTables(NamedTuple):
    """What the rating head knows of every movie.

    movies: float32 [movies, heads, 1 + dims], each movie's bias first, then its vector.
    raters: float32 [users, heads, 1 + dims], what each rater adds to the movies they rated; only in
      training.
    parts: float32 [movies, parts, heads * (1 + dims)], what id and features are apart; only where
      an interaction reads them.
    """

    movies: tf.Tensor
    raters: tf.Tensor | None = None
    parts: tf.Tensor | None = None


class MovieTables(NamedTuple):
    """What a model knows of every movie.

    vectors: float32 [movies, dims], a query's product with them is a movie's score.
    popularity: float32 [movies], what is added to that score whatever the query.
    rating: what ratings are predicted from; only of a model that predicts them.
    """

    vectors: tf.Tensor
    popularity: tf.Tensor
    rating: RatingTables | None = None

    def by_name(self) -> dict[str, tf.Tensor]:
        """The tables that there are, under the names that exported models keep them by."""
        tables = {"vectors": self.vectors, "popularity": self.popularity}
        if self.rating is None:
            return tables
        movies, raters, parts = self.rating
        rating = {"rating": movies, "raters": raters, "rating_parts": parts}
        return tables | {name: table for name, table in rating.items() if table is not None}

    @classmethod
    def of(cls, tables: Mapping[str, tf.Tensor]) -> "MovieTables":
        """The tables that `by_name` gave."""
        rating = None
        if "rating" in tables:
            rating = RatingTables(
                tables["rating"], tables.get("raters"), tables.get("rating_parts")
            )
        return cls(tables["vectors"], tables["popularity"], rating)
