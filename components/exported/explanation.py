"""Which movies of the history moved a recommendation most: each is left out in turn."""

import tensorflow as tf

from components.exported.moments import Moment
from components.exported.served import Served
from components.model.window import Window

MOST_EVENTS = 50  # of the history, newest first, that are left out in turn


def explain(served: Served, moment: Moment, movie: tf.Tensor) -> dict[str, tf.Tensor]:
    """What each of the newest events did to a movie's place and rating.

    The effect is measured, not estimated: the whole model reads the history once with the event
    and once as if it had never been.

    Args:
      served: the model.
      moment: whom to explain to.
      movie: int32 [batch], rows of the catalogue, -1 where unknown.

    Returns:
      Events with the greatest effect first, [batch, events], '' and 0 behind the last:
      `history_movie_id`, `history_movie_title`, `effect` (of the event on the movie's log
      probability) and, where the model predicts ratings, `history_rating` (NaN: not rated) and
      `rating_effect` (on its predicted rating); and `known` [batch].
    """
    window = moment.window
    batch, length = tf.shape(window.movie)[0], tf.shape(window.movie)[1]
    events = tf.minimum(MOST_EVENTS, length)
    columns = tf.range(length - 1, length - 1 - events, -1)
    target = tf.maximum(movie, 0)
    with_it = _values(served, window, target)
    without = _values(served, leave_out(window, columns), tf.repeat(target, events))
    numbers = {
        name: whole[:, tf.newaxis] - tf.reshape(without[name], [batch, events])
        for name, whole in with_it.items()
    }
    if served.rates:
        given = tf.where(window.rated > 0, window.rating, float("nan"))
        numbers["history_rating"] = tf.gather(given, columns, axis=1)
    rows, present = (tf.gather(x, columns, axis=1) for x in (window.movie, window.present))
    there = (present > 0) & (movie >= 0)[:, tf.newaxis]
    order = tf.argsort(tf.where(there, -numbers["effect"], tf.float32.max), stable=True)
    rows, there = (tf.gather(x, order, batch_dims=1) for x in (rows, there))
    shown = {f"history_{name}": value for name, value in served.names(rows, there).items()}
    return {
        **shown,
        **{
            name: tf.where(there, tf.gather(value, order, batch_dims=1), 0.0)
            for name, value in numbers.items()
        },
        "known": movie >= 0,
        "source": moment.source,
    }


def leave_out(window: Window, columns: tf.Tensor) -> Window:
    """Windows as if one event had never been: [batch * columns, length], row by row.

    What is older moves up, so that it counts as new as it would have been.
    """
    length, many = tf.shape(window.movie)[1], tf.shape(columns)[0]
    place = tf.range(length)[tf.newaxis]
    source = place - tf.cast(place <= columns[:, tf.newaxis], tf.int32)
    kept = tf.cast(source >= 0, tf.float32)

    def without(values: tf.Tensor) -> tf.Tensor:
        found = tf.gather(values, tf.maximum(source, 0), axis=1)
        return tf.reshape(found * tf.cast(kept, values.dtype), [-1, length])

    return Window(
        tf.repeat(window.user, many, 0),
        tf.repeat(window.user_features, many, 0),
        without(window.movie),
        without(window.rating),
        without(window.present),
        without(window.rated),
        tf.repeat(window.moment, many, 0),
    )


def _values(served: Served, window: Window, target: tf.Tensor) -> dict[str, tf.Tensor]:
    """Log probability and predicted rating of one movie per row: float32 [batch] each."""
    chances = tf.nn.log_softmax(served.score(window).model)
    found = {"effect": tf.gather(chances, target, batch_dims=1)}
    if served.rates:
        found["rating_effect"] = served.rate(window, target[:, tf.newaxis])[:, 0]
    return found
