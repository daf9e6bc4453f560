"""Resolves a person: names become rows, and what is stored stands in for what is not given."""

from typing import NamedTuple

import tensorflow as tf

from components.exported.person import Person
from components.exported.served import ServedModel
from components.model.parsing import padded, unknown_value, with_day
from components.model.window import Window

BY_USER, BY_HISTORY, BY_POPULARITY = "user", "history", "popularity"  # values of `source`


class ResolvedUser(NamedTuple):
    """A person as the model reads them.

    window: what the model reads.
    earlier: int32 [batch, (events)], rows of the movies that were seen before that.
    source: string [batch], which of user, history and popularity it is served from.
    """

    window: Window
    earlier: tf.RaggedTensor
    source: tf.Tensor


def resolve(served: ServedModel, person: Person) -> ResolvedUser:
    """Reads a person's features and history: those given, else those stored.

    A history counts as given when any movie of it is known. Ratings are brought into the scale;
    an event whose rating is not a number was seen and not rated.
    """
    return served.shared(_resolve)(person)


def _resolve(served: ServedModel, person: Person) -> ResolvedUser:
    stored = served.users.rows(person.user_id)
    given, given_rating = served.movies(person.history_movie_id), person.history_rating
    by_id = ~tf.reduce_any(given >= 0, 1)
    movies, ratings = served.users.histories(stored, by_id)
    movie, rating = known_last(tf.concat([movies, given], 1), tf.concat([ratings, given_rating], 1))
    user = served.lookup.user.lookup(person.user_id)
    rating = within(served.model.facts.scale, rating)
    features, asked = _features(served, person, stored), _asked(served, person)
    window = padded(user, features, movie, rating, asked=asked)
    known = served.users.known(stored) | (user < len(served.model.facts.user_ids))
    has_history = tf.reduce_any(window.present > 0, 1)
    source = tf.where(known, BY_USER, tf.where(has_history, BY_HISTORY, BY_POPULARITY))
    return ResolvedUser(window, served.users.earlier(stored, by_id), source)


def within(scale: tuple[float, float] | None, rating: tf.Tensor) -> tf.Tensor:
    """Ratings within the scale; what is no number stays so, as all do where there is no scale."""
    if scale is None:
        return tf.fill(tf.shape(rating), tf.constant(float("nan")))
    return tf.where(tf.math.is_nan(rating), rating, tf.clip_by_value(rating, *scale))


def known_last(movies: tf.Tensor, ratings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Moves unknown movies (-1) to the front, and pads there by one, so that ages come out right.

    What `parsing.newest_last` does to the histories of Examples, for dense tensors.
    """
    order = tf.argsort(tf.cast(movies >= 0, tf.int32), stable=True)
    front = [[0, 0], [1, 0]]
    movies, ratings = (tf.gather(x, order, batch_dims=1) for x in (movies, ratings))
    return tf.pad(movies, front, constant_values=-1), tf.pad(ratings, front)


def _asked(served: ServedModel, person: Person) -> tf.Tensor | None:
    """What is told of the moment: int32 [batch, 1, features]; None where the model asks nothing."""
    lookup, user = served.lookup, person.user_id
    if not lookup.asked:
        return with_day(user, None, lookup.days)
    values = {
        name: person.features.get(name, tf.fill(tf.shape(user), unknown_value(known.key_dtype)))
        for name, known in lookup.asked.items()
    }
    return with_day(user, lookup.told(values)[:, tf.newaxis], lookup.days)


def _features(served: ServedModel, person: Person, stored: tf.Tensor) -> tf.Tensor:
    """Rows of the user's features, given or else stored: int32 [batch, features]."""
    features, tables = served.users.features(stored), served.lookup.user_features
    columns = [features[:, place] for place in range(len(tables))]
    for place, (name, table) in enumerate(tables.items()):
        if name in person.features:
            given = person.features[name]
            told = given != "" if given.dtype == tf.string else ~tf.math.is_nan(given)
            columns[place] = tf.where(told, table.lookup(given), columns[place])
    return tf.stack(columns, 1) if columns else features
