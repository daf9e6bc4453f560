"""The groups of inputs, and how each of them is exchanged or shuffled."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.model.facts import Facts, Raters
from components.model.parsing import ParsedExamples

Array = NDArray[Any]
MOVIE_ID = "movie id"


class Rows(NamedTuple):
    """Examples of one target each, and `owner`, int64 [rows]: a number for each user."""

    examples: ParsedExamples
    owner: Array

    def replaced(self, **columns: Any) -> "Rows":
        """The same rows with other values in some columns of the examples."""
        return self._replace(examples=self.examples._replace(**columns))


UserShuffle = Callable[[Rows, np.random.Generator], Rows]
MovieShuffle = Callable[[Facts, Array], Facts]


def user_groups(facts: Facts, ordered: bool) -> dict[str, UserShuffle]:
    """The groups of a user's inputs, with the shuffle of each.

    `history order` is one only where order has a meaning, `history ratings` where there are any.
    """
    order: dict[str, UserShuffle] = {"history order": shuffle_order} if ordered else {}
    ratings: dict[str, UserShuffle] = {"history ratings": shuffle_ratings} if facts.rates else {}
    return {
        "history": exchange("history_movie", "history_rating"),
        **ratings,
        **order,
        "user id": exchange("user"),
        **{name: _exchange_feature(i) for i, name in enumerate(facts.user_features)},
        **{name: _exchange_moment(i) for i, name in enumerate(facts.asked)},
    }


def movie_groups(facts: Facts) -> dict[str, MovieShuffle]:
    """The groups of a movie's inputs, with the shuffle of each.

    A shuffle gives each movie what the movie `taken` for it has. Raters are a group only where the
    model has a rating head to read them.
    """
    raters: dict[str, MovieShuffle] = {"raters": _raters_of} if facts.rates else {}
    return {
        MOVIE_ID: lambda facts, taken: dataclasses.replace(facts, id_rows=facts.id_rows[taken]),
        **{name: _feature_of(name) for name in facts.features},
        **{name: _age_of(name) for name in (facts.ages.names if facts.ages is not None else ())},
        "popularity": lambda facts, taken: dataclasses.replace(facts, counts=facts.counts[taken]),
        **raters,
    }


def others(users: Array, rng: np.random.Generator) -> Array:
    """Draws for each row one of another user, each with the same chance.

    Args:
      users: int64 [rows], of at least two users.
      rng: draws.

    Returns:
      int64 [rows].
    """
    order = np.argsort(users, kind="stable")
    first = np.searchsorted(users, users, side="left", sorter=order)
    own = np.searchsorted(users, users, side="right", sorter=order) - first
    drawn = rng.integers(len(users) - own)
    return np.asarray(order[drawn + np.where(drawn >= first, own, 0)])


def exchange(*names: str) -> UserShuffle:
    """Gives every row some columns of another user's row."""

    def exchanged(rows: Rows, rng: np.random.Generator) -> Rows:
        taken = others(rows.owner, rng)
        columns = {name: getattr(rows.examples, name) for name in names}
        return rows.replaced(**{name: tf.gather(x, taken) for name, x in columns.items()})

    return exchanged


def _exchange_feature(place: int) -> UserShuffle:
    def exchanged(rows: Rows, rng: np.random.Generator) -> Rows:
        features = np.array(rows.examples.user_features)
        features[:, place] = features[others(rows.owner, rng), place]
        return rows.replaced(user_features=tf.constant(features))

    return exchanged


def _exchange_moment(place: int) -> UserShuffle:
    """Of rows of one target each."""

    def exchanged(rows: Rows, rng: np.random.Generator) -> Rows:
        asked = rows.examples.asked
        told = asked.flat_values.numpy()
        told[:, place] = told[others(rows.owner, rng), place]
        return rows.replaced(asked=asked.with_flat_values(tf.constant(told)))

    return exchanged


def shuffle_ratings(rows: Rows, rng: np.random.Generator) -> Rows:
    """Shuffles the ratings among the events of all histories."""
    ratings = rows.examples.history_rating
    given = rng.permutation(ratings.flat_values.numpy())
    return rows.replaced(history_rating=ratings.with_flat_values(tf.constant(given)))


def shuffle_order(rows: Rows, rng: np.random.Generator) -> Rows:
    """Shuffles the events of each history."""
    movies, ratings = rows.examples.history_movie, rows.examples.history_rating
    history = movies.value_rowids().numpy()
    order = np.lexsort((rng.random(len(history)), history))
    movies, ratings = (
        x.with_flat_values(tf.gather(x.flat_values, order)) for x in (movies, ratings)
    )
    return rows.replaced(history_movie=movies, history_rating=ratings)


def _feature_of(name: str) -> MovieShuffle:
    def shuffled(facts: Facts, taken: Array) -> Facts:
        features = {**facts.features, name: facts.features[name][taken]}
        normalised = facts.normalised
        if name in normalised:
            normalised = {**normalised, name: normalised[name][taken]}
        return dataclasses.replace(facts, features=features, normalised=normalised)

    return shuffled


def _age_of(name: str) -> MovieShuffle:
    def shuffled(facts: Facts, taken: Array) -> Facts:
        assert facts.ages is not None, "only ages that there are have a shuffle"
        born, place = np.array(facts.ages.born), [*facts.ages.names].index(name)
        born[:, place] = born[taken, place]
        return dataclasses.replace(facts, ages=dataclasses.replace(facts.ages, born=born))

    return shuffled


def _raters_of(facts: Facts, taken: Array) -> Facts:
    """Gives each movie the raters of the one `taken` for it."""
    raters, known_as = facts.raters, np.argsort(taken)
    movie = known_as[raters.movie].astype(np.int32)
    order = np.lexsort((raters.user, movie))
    columns = (movie[order], raters.user[order], raters.weight[order])
    return dataclasses.replace(facts, raters=Raters(*columns))
