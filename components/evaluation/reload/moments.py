"""Asks about users at the moment of their last Example, as `evaluate` sees them."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.evaluation.reload.job import Job
from components.evaluation.reload.signatures import (
    EVALUATE,
    RATE_AS,
    RECOMMEND_FILTERED,
    Signatures,
)
from components.examples.records import records
from schemas.features import HAVING

# The inputs of `recommend_filtered` where nothing is wished for; earlier models lack some.
NO_WISHES = {
    "genres": ([[]], tf.string),
    HAVING: ([[]], tf.string),
    "year_from": ([0], tf.int32),
    "year_to": ([0], tf.int32),
    "keep_seen": ([False], tf.bool),
    "mix": ([0.0], tf.float32),
    "retrieve": ([1], tf.int32),
}
USER_ID = {"user_id": tf.io.FixedLenFeature([], tf.string)}
EXAMPLE = {
    **USER_ID,
    "movie_id": tf.io.FixedLenFeature([], tf.string),
    "history_movie_id": tf.io.RaggedFeature(tf.string),
    "history_rating": tf.io.RaggedFeature(tf.float32),
    "seen_movie_id": tf.io.RaggedFeature(tf.string),
}
PERSON = {"user_id", "history_movie_id", "history_rating"}


def last_moments(job: Job) -> list[tuple[bytes, bytes]]:
    """The first `job.users` users, each with the last Example."""
    last: dict[bytes, bytes] = {}
    for batch in records(job.examples, 1024):
        users = tf.io.parse_example(batch, USER_ID)["user_id"].numpy()
        for user, example in zip(users, batch.numpy(), strict=True):
            if user in last or len(last) < job.users:
                last[user] = example
    return list(last.items())


def ask(
    signatures: Signatures,
    examples: list[bytes],
    first: int,
    rows: tf.lookup.StaticHashTable,
    k: int,
) -> dict[str, NDArray[Any]]:
    """What the model answers for Examples; see `answers.answers`.

    Args:
      signatures: of the loaded model.
      examples: serialized, one of each user.
      first: the place of the first of them among all.
      rows: from a movie's id to its row of the catalogue.
      k: length of the lists.
    """
    parsed, user, wishes = people(signatures, examples)
    evaluated = signatures[EVALUATE](examples=tf.constant(examples))
    lists = [signatures[RECOMMEND_FILTERED](**user, **wishes, k=tf.constant([k])) for _ in range(2)]
    left_out = tf.concat([parsed["seen_movie_id"], parsed["history_movie_id"]], 1)
    answers = {n: own.numpy() for n, own in evaluated.items() if own.dtype != tf.string}
    if RATE_AS in signatures:
        rated = signatures[RATE_AS](**user, movie_id=parsed["movie_id"][:, tf.newaxis])
        answers |= {"rated": rated["rating"].numpy()[:, 0], "ratings": lists[0]["rating"].numpy()}
    return {
        **answers,
        "movies": rows.lookup(lists[0]["movie_id"]).numpy(),
        "again": rows.lookup(lists[1]["movie_id"]).numpy(),
        "history": rows.lookup(user["history_movie_id"]).numpy(),
        "left_out_owner": first + left_out.value_rowids().numpy(),
        "left_out": rows.lookup(left_out.values).numpy(),
        "target": rows.lookup(parsed["movie_id"]).numpy(),
    }


def people(
    signatures: Signatures, examples: list[bytes]
) -> tuple[dict[str, Any], dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Serialized Examples as `recommend_filtered` is asked about them.

    Returns:
      What was parsed, by feature; the inputs that describe the users; those that wish for nothing
      but that what was seen is left out.
    """
    features = user_features(signatures)
    told = {
        name: tf.io.FixedLenFeature([], dtype, "" if dtype == tf.string else np.nan)
        for name, dtype in features.items()
    }
    parsed = tf.io.parse_example(tf.constant(examples), EXAMPLE | told)
    # Movies seen before the history reach the model in one way alone: as movies to leave out.
    taken = signatures[RECOMMEND_FILTERED].structured_input_signature[1]
    wishes = {
        name: tf.constant(value, kind) for name, (value, kind) in NO_WISHES.items() if name in taken
    }
    wishes |= {"exclude_movie_id": parsed["seen_movie_id"].to_tensor("")}
    return parsed, _user(parsed, [*features]), wishes


def user_features(signatures: Signatures) -> dict[str, tf.DType]:
    """What the signatures take of a person beside id and history, with its type."""
    taken = signatures[RECOMMEND_FILTERED].structured_input_signature[1]
    names = sorted(taken.keys() - {*PERSON, *NO_WISHES, "exclude_movie_id", "k"})
    return {name: taken[name].dtype for name in names}


def _user(parsed: dict[str, Any], features: list[str]) -> dict[str, tf.Tensor]:
    """The inputs of the signatures that describe each user."""
    # Asked by id with no history, the export would read what it has stored since.
    has_history = parsed["history_movie_id"].row_lengths() > 0
    movies = parsed["history_movie_id"].to_tensor("")
    return {
        "user_id": tf.where(has_history, parsed["user_id"], ""),
        "history_movie_id": movies,
        "history_rating": parsed["history_rating"].to_tensor(np.nan, shape=tf.shape(movies)),
        **{name: parsed[name] for name in features},
    }
