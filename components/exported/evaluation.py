"""What the `evaluate` signature measures of each example."""

from collections.abc import Mapping

import tensorflow as tf

from components.examples.activity import tenths
from components.exported.inputs import Answer
from components.exported.served import ServedModel
from components.model import scoring
from components.model.facts import Facts
from components.model.parsing import ParsedExamples, history, parse
from components.model.window import Window
from schemas.features import bucket_of

HASHED_USERS = 2**62  # buckets of the hash that stands for a user's id


def evaluate(served: ServedModel, examples: tf.Tensor) -> Answer:
    """Measures each serialized Example of one target, string [batch].

    Returns, each [batch]: `user` (a hash of the id) and the target's rank, 1 for the best: `rank`
    and `popularity_rank` with seen movies left out, `unmasked_rank` and `popularity_unmasked_rank`
    with nothing left out. Then the facts: `known_movie` and `known_user` (1 if the catalogue, or
    train, holds it), and `movie_tenth` (see `tenths`). A model that predicts ratings adds `label`
    (the true rating, NaN where there is none), `rating` and `bias_rating`, and `lowest` and
    `highest`, the scale that it was made for. Of each number that is known of users or of the
    moment, `bucket_of` it is what its bucket is called, '' where it is not known.
    """
    parsed, model = parse(served.lookup, examples), served.model
    window, target = history(parsed), parsed.target
    scores = served.score(window, parsed.seen_movie)
    rows, known = tf.maximum(target, 0), target >= 0
    # A target outside the catalogue cannot be found: it ranks behind every movie.
    last = tf.cast(tf.shape(scores.model)[1], tf.float32)

    def rank(values: tf.Tensor, hidden: tf.Tensor | None) -> tf.Tensor:
        return tf.where(known, scoring.expected_rank(values, rows, hidden), last)

    tenth = tf.gather(tf.constant(tenths(model.facts.counts)), rows)
    answer = {
        "user": tf.strings.to_hash_bucket_fast(parsed.user_id, HASHED_USERS),
        "rank": rank(scores.model, scores.seen),
        "unmasked_rank": rank(scores.model, None),
        "popularity_rank": rank(scores.popularity, scores.seen),
        "popularity_unmasked_rank": rank(scores.popularity, None),
        "known_movie": tf.cast(known, tf.float32),
        "known_user": tf.cast(parsed.user < len(model.facts.user_ids), tf.float32),
        "movie_tenth": tf.where(known, tenth, 0.0),
        **_buckets(model.facts, model.facts.user_features, parsed.user_features),
        **_buckets(model.facts, model.facts.asked, window.asked[:, 0]),
        **_ages(model.facts, parsed, rows, known),
    }
    if not served.rates:
        return answer
    return {**answer, "label": parsed.target_rating, **_ratings(served, window, target)}


def _buckets(facts: Facts, features: Mapping[str, list[bytes]], rows: tf.Tensor) -> Answer:
    """The names of numbers' buckets, string [batch] each, of rows int32 [batch, features].

    Rows of what is unknown are -1, or behind the last.
    """
    return {
        bucket_of(name): tf.gather(tf.constant([*names, b""]), rows[:, place] % (len(names) + 1))
        for place, (name, names) in enumerate(features.items())
        if name in facts.numbers
    }


def _ages(facts: Facts, parsed: ParsedExamples, target: tf.Tensor, known: tf.Tensor) -> Answer:
    """The names of the buckets of the targets' ages when they were rated, string [batch] each."""
    if facts.ages is None:
        return {}
    day = parsed.day.to_tensor(-1, shape=[None, 1, 1])[:, 0, 0]
    found = facts.ages.rows(day, tf.gather(facts.ages.all_born(), target))
    return {
        bucket_of(name): tf.where(known, tf.gather(tf.constant([*names, b""]), found[:, place]), "")
        for place, (name, names) in enumerate(facts.ages.names.items())
    }


def _ratings(served: ServedModel, window: Window, target: tf.Tensor) -> Answer:
    """What model and baseline predict, each the mean for a target outside the catalogue."""
    rows, known, facts = tf.maximum(target, 0), target >= 0, served.model.facts
    rating = served.rate(window, rows[:, tf.newaxis])[:, 0]
    bias = scoring.bias_rating(facts, window, rows)
    mean, lowest, highest = (
        tf.fill(tf.shape(target), tf.cast(value, tf.float32)) for value in (facts.mean, *facts.ends)
    )
    return {
        "rating": tf.where(known, rating, mean),
        "bias_rating": tf.where(known, bias, mean),
        "lowest": lowest,
        "highest": highest,
    }
