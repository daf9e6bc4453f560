"""The served signatures: here the lists for one person and for several."""

from typing import Any

import tensorflow as tf

from components.exported.candidates import candidate_signatures
from components.exported.choosing import Wishes, answer, choose, visible
from components.exported.groups import Group, recommend_group
from components.exported.inputs import (
    ANY,
    AVERAGE,
    BY_WATCH,
    COUNT,
    EQUAL,
    HISTORY,
    NO,
    NOBODY,
    OPEN,
    PERSON,
    SOME,
    TEN,
    UNRATED,
    WISHES,
    Answer,
    ask,
    graph,
    spec,
    text,
)
from components.exported.lookups import lookup_signatures
from components.exported.moments import Person, batch_of, share
from components.exported.served import Served


def make_signatures(served: Served) -> dict[str, Any]:
    """The functions to export, by name."""
    return {
        "recommend": _recommend(served),
        "recommend_filtered": _recommend_filtered(served),
        "recommend_group": _recommend_group(served),
        **candidate_signatures(served),
        **lookup_signatures(served),
    }


def _recommend(served: Served) -> Any:
    @graph(*text("user_id"), *HISTORY, COUNT)
    def recommend(
        user_id: tf.Tensor, history_movie_id: tf.Tensor, history_rating: tf.Tensor, k: tf.Tensor
    ) -> Answer:
        person = Person(user_id, history_movie_id, history_rating, NOBODY, NOBODY, NOBODY)
        return _listed(served, person, k, None)

    return recommend


def _recommend_filtered(served: Served) -> Any:
    @graph(*PERSON, COUNT, *WISHES)
    def recommend_filtered(
        user_id: tf.Tensor = NOBODY,
        history_movie_id: tf.Tensor = ANY,
        history_rating: tf.Tensor = UNRATED,
        gender: tf.Tensor = NOBODY,
        age: tf.Tensor = NOBODY,
        occupation: tf.Tensor = NOBODY,
        k: tf.Tensor = TEN,
        exclude_movie_id: tf.Tensor = ANY,
        genres: tf.Tensor = ANY,
        year_from: tf.Tensor = OPEN,
        year_to: tf.Tensor = OPEN,
        keep_seen: tf.Tensor = NO,
        mix: tf.Tensor = BY_WATCH,
        retrieve: tf.Tensor = SOME,
    ) -> Answer:
        person = Person(user_id, history_movie_id, history_rating, gender, age, occupation)
        wishes = Wishes(exclude_movie_id, genres, year_from, year_to, keep_seen, mix, retrieve)
        return _listed(served, person, k, wishes)

    return recommend_filtered


def _listed(served: Served, person: Person, k: tf.Tensor, wishes: Wishes | None) -> Answer:
    others = [tf.reshape(k, [-1]), *(wishes or ())]
    asked, (k, *shared) = ask(served, person, *others)
    scores = served.score(asked.window, asked.earlier)
    shown = visible(served, Wishes(*shared), scores.seen) if wishes else ~scores.seen
    rows, best, ratings = choose(
        tf.where(shown, scores.model, -float("inf")),
        k,
        Wishes(*shared) if wishes else None,
        (lambda rows: served.rate(asked.window, rows)) if served.rates else None,
    )
    found = answer(served, rows, best, ratings)
    return {**found, "known": scores.known, "source": asked.source}


def _recommend_group(served: Served) -> Any:
    people = [spec(own.name, own.dtype, own.shape.rank + 1) for own in PERSON]
    somebody, anyone = NOBODY[tf.newaxis], ANY[tf.newaxis]

    @graph(*people, spec("weights", tf.float32, 2), *text("rule"), COUNT, *WISHES)
    def group(
        user_id: tf.Tensor = somebody,
        history_movie_id: tf.Tensor = anyone,
        history_rating: tf.Tensor = UNRATED[tf.newaxis],
        gender: tf.Tensor = somebody,
        age: tf.Tensor = somebody,
        occupation: tf.Tensor = somebody,
        weights: tf.Tensor = EQUAL,
        rule: tf.Tensor = AVERAGE,
        k: tf.Tensor = TEN,
        exclude_movie_id: tf.Tensor = ANY,
        genres: tf.Tensor = ANY,
        year_from: tf.Tensor = OPEN,
        year_to: tf.Tensor = OPEN,
        keep_seen: tf.Tensor = NO,
        mix: tf.Tensor = BY_WATCH,
        retrieve: tf.Tensor = SOME,
    ) -> Answer:
        person = Person(user_id, history_movie_id, history_rating, gender, age, occupation)
        k = tf.reshape(k, [-1])
        wishes = Wishes(exclude_movie_id, genres, year_from, year_to, keep_seen, mix, retrieve)
        batch = batch_of(*person, weights, rule, k, *wishes)
        size = tf.reduce_max(tf.stack([tf.shape(x)[1] for x in (*person, weights)]))
        *everyone, weights = _per_person(batch, size, *person, weights)
        rule, k, *shared = share(batch, rule, k, *wishes)
        together = Group(Person(*everyone), weights, rule)
        return recommend_group(served, together, k, Wishes(*shared))

    return group


def _per_person(batch: tf.Tensor, size: tf.Tensor, *inputs: tf.Tensor) -> list[tf.Tensor]:
    return [tf.broadcast_to(x, tf.concat([[batch, size], tf.shape(x)[2:]], 0)) for x in inputs]
