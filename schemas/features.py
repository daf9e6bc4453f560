"""The features that a source declares beside its ratings: their names, and which are taken."""

import keyword
import re

from pydantic import BaseModel, ConfigDict

# Two roles of movie features: lists can be limited to a span of the one and to values of the other.
YEAR, GENRES = "year", "genres"
HAVING = "having"  # limits lists to values of any category of movies
POSTER = "poster"  # of a movie, which no model reads: where its picture is
SEPARATOR = "\x1f"  # between the values of a movie where they are one text: no name holds it
# What columns of Examples, inputs of signatures, fields of requests, slices and tables are called.
TAKEN = frozenset({
    "between", "bias", "decade", "examples", "exclude", "exclude_movie_id", "gain", "genre",
    "genres", "half_life", "having", "history", "ids", "k", "keep_seen", "kernel", "log_half_lives",
    "mix", "movie", "movie_id", "movie_title", "movies", "noise", "out", "overall", "people",
    "popularity", "poster", "raters", "rating", "retrieve", "rule", "self", "session", "share",
    "shift", "timestamp", "user", "user_id", "user_spread", "weight", "weights", "year",
    "year_from", "year_to",
})  # fmt: skip
_TAKEN_BEFORE = ("history_", "seen_")


class Features(BaseModel):
    """The names of the features that a source declares, in its order.

    users: of users.
    movies: of movies, `several` of which may have more than one value.
    events: of ratings, `asked` of which are known at the moment that somebody asks.
    ages: those of ratings that no file holds: how long after a day of the movie's or the user's a
      rating was given, in years. Those of users are among `asked`.
    numbers: those of all that are numbers; texts: those of movies that are texts. All others are
      categories.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    users: tuple[str, ...] = ()
    movies: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    ages: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def user_numbers(self) -> tuple[str, ...]:
        """The features of users that are numbers."""
        return tuple(name for name in self.users if name in self.numbers)

    @property
    def event_numbers(self) -> tuple[str, ...]:
        """The features of ratings that are numbers."""
        return tuple(name for name in self.events if name in self.numbers)

    @property
    def read(self) -> tuple[str, ...]:
        """All that a model may read: what is known of a rating alone is not."""
        return (*self.users, *self.movies, *self.asked, *self.movie_ages)

    @property
    def movie_ages(self) -> tuple[str, ...]:
        """How old movies were when they were rated."""
        return tuple(name for name in self.ages if name not in self.asked)

    @property
    def movie_categories(self) -> tuple[str, ...]:
        """The features of movies that are categories."""
        others = {*self.numbers, *self.texts, YEAR}
        return tuple(name for name in self.movies if name not in others)

    @property
    def movie_numbers(self) -> tuple[str, ...]:
        """The features of movies that are numbers."""
        return tuple(name for name in self.movies if name in self.numbers)


def bucket_of(name: str) -> str:
    """The output of `evaluate` that says in which bucket a user's or a moment's number lies."""
    return f"{name}_bucket"


def age_of(date: str) -> str:
    """What the age since a date is called."""
    return f"{date}_age"


def date_of(age: str) -> str:
    """The date that an age is counted from."""
    return age.removesuffix("_age")


def feature_name(name: str) -> str:
    """The name, if a feature may have it.

    Raises:
      ValueError: it is no identifier, or the name of something else.
    """
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} cannot name a feature: take letters, digits and _, a letter first, and no "
            "word of Python"
        )
    if name in TAKEN or name.startswith(_TAKEN_BEFORE):
        raise ValueError(f"{name} is the name of something else: call the feature another way")
    return name
