"""What a model knows of the movies of the catalogue."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf


class RatersOf(NamedTuple):
    """Who rated some movies in train, and what each of them adds to these.

    pairs: int64 [pairs + 1], ascending: the movie's place and the rater's row of the user table in
      one number; behind them stands one that nobody asks for, so that each search ends at a pair.
    weight: float32 [pairs + 1].
    rater: int32 [pairs + 1], rows of `values`.
    values: float32 [raters, heads * (1 + dims)].
    """

    pairs: tf.Tensor
    weight: tf.Tensor
    rater: tf.Tensor
    values: tf.Tensor


class RatingTables(NamedTuple):
    """What the rating head knows of movies: of all of them, or of those that a step reads.

    movies: float32 [movies, heads, 1 + dims], each movie's bias first, then its vector.
    parts: float32 [movies, parts, heads * (1 + dims)], what id and features are apart; only where
      an interaction reads them.
    raters: who rated the movies; only in a step.
    nats: float32 [movies], how far what the movie shows is from its prior, each of its rows divided
      among all ratings of train that show it; only in a step.
    born: float32 [movies, ages], see `Ages`; only of a model that reads ages, where it is made.
    """

    movies: tf.Tensor
    parts: tf.Tensor | None = None
    raters: RatersOf | None = None
    nats: tf.Tensor | None = None
    born: tf.Tensor | None = None


class MovieTables(NamedTuple):
    """What a model knows of movies: of all of them, or of those that a step reads.

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
        rating = {"rating": self.rating.movies, "rating_parts": self.rating.parts}
        return tables | {name: table for name, table in rating.items() if table is not None}

    @classmethod
    def of(cls, tables: Mapping[str, tf.Tensor]) -> "MovieTables":
        """The tables that `by_name` gave."""
        rating = None
        if "rating" in tables:
            rating = RatingTables(tables["rating"], tables.get("rating_parts"))
        return cls(tables["vectors"], tables["popularity"], rating)
