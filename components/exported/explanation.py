"""Which movies of the history moved a recommendation most: each is left out in turn."""

import tensorflow as tf

from components.exported.inputs import Answer
from components.exported.person import Person
from components.exported.resolve import resolve
from components.exported.served import ServedModel
from components.model.window import Window

MOST_EVENTS = 50  # of the history, newest first, that are left out in turn


def explain(served: ServedModel, movie_id: tf.Tensor, person: Person) -> Answer:
    """What each of the newest events did to a movie's place and rating.

    The effect is measured, not estimated: the whole model reads the history once with the event
    and once as if it had never been.

    Args:
      served: the model.
      movie_id: string [batch], the movies to explain.
      person: whom to explain them to.

    Returns:
      Events with the greatest effect first, [batch, events], '' and 0 behind the last:
      `history_movie_id`, `history_movie_title`, `effect` (of the event on the movie's log
      probability) and, where the model predicts ratings, `history_rating` (NaN: not rated) and
      `rating_effect` (on its predicted rating); and `known` and `source` [batch].
    """
    user, movie = resolve(served, person), served.movies(movie_id)
    window = user.window
    length = tf.shape(window.movie)[1]
    columns = tf.range(length - 1, length - 1 - tf.minimum(MOST_EVENTS, length), -1)
    effects = _effects(served, window, columns, tf.maximum(movie, 0))
    rows, present = (tf.gather(x, columns, axis=1) for x in (window.movie, window.present))
    shown = (present > 0) & (movie >= 0)[:, tf.newaxis]
    order = tf.argsort(tf.where(shown, -effects["effect"], tf.float32.max), stable=True)
    rows, shown, *values = (
        tf.gather(x, order, batch_dims=1) for x in (rows, shown, *effects.values())
    )
    names = {f"history_{name}": value for name, value in served.names(rows, shown).items()}
    numbers = zip(effects, values, strict=True)
    return {
        **names,
        **{name: tf.where(shown, value, 0.0) for name, value in numbers},
        "known": movie >= 0,
        "source": user.source,
    }


def _effects(served: ServedModel, window: Window, columns: tf.Tensor, target: tf.Tensor) -> Answer:
    """What the events in some columns do to the targets: float32 [batch, columns] each."""
    batch, events = tf.shape(window.movie)[0], tf.shape(columns)[0]
    read = _values(served, window, target)
    left_out = _values(served, leave_out(window, columns), tf.repeat(target, events))
    effects = {
        name: value[:, tf.newaxis] - tf.reshape(left_out[name], [batch, events])
        for name, value in read.items()
    }
    if served.rates:
        given = tf.where(window.rated > 0, window.rating, float("nan"))
        effects["history_rating"] = tf.gather(given, columns, axis=1)
    return effects


def leave_out(window: Window, columns: tf.Tensor) -> Window:
    """Windows as if one event had never been: [batch * columns, length], row by row.

    What is older moves up, so that it counts as new as it would have been.
    """
    length, many = tf.shape(window.movie)[1], tf.shape(columns)[0]
    place = tf.range(length)[tf.newaxis]
    source = place - tf.cast(place <= columns[:, tf.newaxis], tf.int32)
    kept = tf.cast(source >= 0, tf.float32)

    def without(values: tf.Tensor) -> tf.Tensor:
        moved = tf.gather(values, tf.maximum(source, 0), axis=1)
        return tf.reshape(moved * tf.cast(kept, values.dtype), [-1, length])

    return Window(
        tf.repeat(window.user, many, 0),
        tf.repeat(window.user_features, many, 0),
        without(window.movie),
        without(window.rating),
        without(window.present),
        without(window.rated),
        tf.repeat(window.moment, many, 0),
        tf.repeat(window.asked, many, 0),
    )


def _values(served: ServedModel, window: Window, target: tf.Tensor) -> Answer:
    """Log probability and predicted rating of one movie per row: float32 [batch] each."""
    chances = tf.nn.log_softmax(served.score(window).model)
    values = {"effect": tf.gather(chances, target, batch_dims=1)}
    if served.rates:
        values["rating_effect"] = served.rate(window, target[:, tf.newaxis])[:, 0]
    return values
