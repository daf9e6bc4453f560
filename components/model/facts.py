"""What the model knows before it learns: vocabularies, catalogue features, train statistics."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.model.ages import Ages

BIAS_DOUBT = 10.0  # ratings' worth of doubt in a movie's mean


@dataclass(frozen=True)
class Raters:
    """Who rated what in train, at most so many of each movie; sorted by movie, then user.

    movie, user: int32 [pairs], rows of the catalogue and of the users.
    weight: float32 [pairs], one over the root of how many the movie has here.
    """

    movie: NDArray[Any]
    user: NDArray[Any]
    weight: NDArray[Any]


@dataclass(frozen=True)
class Facts:
    """Everything the graph is built from; rows of the catalogue are 0 .. movies-1.

    movie_ids, movie_titles: bytes, one per row.
    id_rows, oov_rows: int32 [movies], rows of the id tables.
    features: name to int32 [movies, width], rows of the feature's table, -1 for padding.
    user_ids: bytes, the users of train, one per row of the user table.
    user_features: name to the feature's known values, or to the names of a number's buckets.
    scale: lowest and highest rating; None where train has no ratings to learn from.
    counts: float64 [movies], train events per movie, rated or not.
    rated_counts: float64 [movies], those that are rated.
    rating_sums: float64 [movies], the sum of their ratings.
    squares: sum of all squared train ratings.
    raters: who rated each movie in train.
    values: name to each movie's values of a feature as text, for filters and lists.
    keys: ids and features by name: what the rows of their tables stand for.
    trained_until: every rating of train is from before this, in microseconds since 1970. None
      where train is not cut by time.
    numbers: the declared features, of movies, users and moments, that are numbers.
    categories: those of movies that are categories, by which lists can be limited.
    asked: of the features of a rating that are known when somebody asks, the known values, or the
      names of a number's buckets.
    popular_days, popular: how many of train's newest days the popularity baseline counts, and the
      events of each movie in them, float64 [movies]. None: it counts all of train.
    normalised: by the name of a movies' number, float32 [movies], how many standard deviations of
      train it is from train's mean; 0 where it is not known.
    ages: what it takes to tell how old movies are at some moment; None where they have no dates.
    """

    movie_ids: list[bytes]
    movie_titles: list[bytes]
    id_rows: NDArray[Any]
    oov_rows: NDArray[Any]
    features: Mapping[str, NDArray[Any]]
    user_ids: list[bytes]
    user_features: Mapping[str, list[bytes]]
    scale: tuple[float, float] | None
    counts: NDArray[Any]
    rated_counts: NDArray[Any]
    rating_sums: NDArray[Any]
    squares: float
    raters: Raters
    values: Mapping[str, Sequence[Sequence[bytes]]] = field(default_factory=dict)
    keys: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    trained_until: int | None = None
    numbers: Collection[str] = ()
    categories: Collection[str] = ()
    popular_days: int | None = None
    popular: NDArray[Any] | None = None
    asked: Mapping[str, list[bytes]] = field(default_factory=dict)
    ages: Ages | None = None
    normalised: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def rates(self) -> bool:
        """Whether there are ratings to learn from and to predict."""
        return self.scale is not None

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest rating, where there are ratings.

        Raises:
          ValueError: there are none.
        """
        if self.scale is None:
            raise ValueError("there are no ratings to predict")
        return self.scale

    @property
    def mean(self) -> float:
        """The train ratings' mean; the scale's middle where train is empty."""
        total = self.rated_counts.sum()
        return float(self.rating_sums.sum() / total) if total else sum(self.ends) / 2

    @property
    def variance(self) -> float:
        """The train ratings' variance, never below a thousandth of the squared scale."""
        floor = 1e-3 * (self.ends[1] - self.ends[0]) ** 2
        return max(floor, float(self.squares / max(self.rated_counts.sum(), 1) - self.mean**2))

    @property
    def movie_bias(self) -> NDArray[Any]:
        """float32 [movies]: how far each movie's ratings lie from the mean, shrunken to 0."""
        residual = self.rating_sums - self.rated_counts * self.mean
        return (residual / (self.rated_counts + BIAS_DOUBT)).astype(np.float32)

    @property
    def log_popularity(self) -> NDArray[Any]:
        """float32 [movies]: log of each movie's share of train, one event added to each."""
        return log_shares(self.counts)

    @property
    def popularity_baseline(self) -> NDArray[Any]:
        """float32 [movies]: as `log_popularity`, of the events that the baseline counts.

        Those of whom nothing is known are served from it too.
        """
        return self.log_popularity if self.popular is None else log_shares(self.popular)

    @property
    def id_table_rows(self) -> int:
        """How many rows a table of movie ids needs, out-of-vocabulary ones included."""
        return 1 + int(max(self.id_rows.max(initial=0), self.oov_rows.max(initial=0)))

    @property
    def movie_parts(self) -> list[str]:
        """What is known of a movie, as a person would call it."""
        return ["movie id", *self.features]

    @property
    def user_parts(self) -> list[str]:
        """What is known of a user beside the history, as a person would call it."""
        return ["user id", *self.user_features, *self.asked]


def log_shares(counts: NDArray[Any]) -> NDArray[np.float32]:
    """Log of each movie's share of the events, one event added to each. [movies] -> [movies]."""
    return np.log((counts + 1) / (counts + 1).sum()).astype(np.float32)
