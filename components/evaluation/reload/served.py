"""Asks about users by their id alone, as the server does."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.evaluation.reload.job import Job, batched
from components.evaluation.reload.signatures import (
    EXPLAIN,
    RATE,
    RECOMMEND,
    SIMILAR,
    Signatures,
    call,
)
from schemas.text import to_text

MOST_LISTED = 100  # of a list that the server is asked for
EXPLAINED = 10  # pairs: each takes fifty readings of the whole catalogue


def lists_by_id(
    recommend: Any, people: list[bytes], rows: tf.lookup.StaticHashTable, k: int
) -> NDArray[Any]:
    """The lists of people who are asked for by their id alone: rows [people, k]."""
    nothing = {"history_movie_id": tf.constant([[]], tf.string), "history_rating": tf.zeros([1, 0])}
    parts = [np.zeros([0, k], np.int32)]
    for _, users in batched(people):
        listed = recommend(user_id=tf.constant(users), k=tf.constant([k]), **nothing)["movie_id"]
        short = [(0, 0), (0, k - listed.shape[1])]
        parts.append(np.pad(rows.lookup(listed).numpy(), short, constant_values=-1))
    return np.concatenate(parts)


def as_served(signatures: Signatures, job: Job) -> list[dict[str, Any]]:
    """What the graph answers to `job.pairs`, in the form in which the server should.

    Each has `user` and `movie`; `listed` and `similar`, pairs of id and score; if the model rates,
    `rating`, of the movie, None where it is no number; and, of the first few pairs, `explained`:
    ids of events.
    """
    k = min(job.k, MOST_LISTED)
    answers = []
    for place, (user, movie) in enumerate(job.pairs):
        user_id, movie_id = tf.constant([user]), tf.constant([movie])
        answer: dict[str, Any] = {"user": user, "movie": movie}
        answer["listed"] = _scored(call(signatures[RECOMMEND], user_id=user_id, k=[k]))
        if RATE in signatures:
            rated = call(signatures[RATE], user_id=user_id, movie_id=movie_id[tf.newaxis])
            rating = rated["rating"].numpy().item()
            answer["rating"] = None if np.isnan(rating) else rating
        answer["similar"] = _scored(call(signatures[SIMILAR], movie_id=movie_id, k=[k]))
        if place < EXPLAINED:
            explained = call(signatures[EXPLAIN], user_id=user_id, movie_id=movie_id)
            events = explained["history_movie_id"].numpy()[0]
            answer["explained"] = [to_text(event) for event in events if event]
        answers.append(answer)
    return answers


def _scored(answer: Mapping[str, tf.Tensor]) -> list[tuple[str, float]]:
    movies, scores = answer["movie_id"].numpy()[0], answer["score"].numpy()[0].tolist()
    return [(to_text(m), score) for m, score in zip(movies, scores, strict=True) if m]
