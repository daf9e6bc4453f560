"""All signatures, and what each takes."""

import dataclasses
from functools import partial
from typing import Any

import tensorflow as tf

from components.exported.candidates import rank, rate
from components.exported.evaluation import evaluate
from components.exported.explanation import explain
from components.exported.groups import GroupPart, recommend_group
from components.exported.inputs import Input, signature
from components.exported.lists import recommend, recommend_filtered
from components.exported.lookups import history, query, similar
from components.exported.person import PersonPart
from components.exported.served import ServedModel
from components.exported.wishes import K_REQUIRED, MIX, K, WishesPart

EXAMPLES = Input("examples", tf.string)
USER = Input("user_id", tf.string)
MOVIE, MOVIES = Input("movie_id", tf.string), Input("movie_id", tf.string, 2)


def make_signatures(served: ServedModel) -> dict[str, Any]:
    """The functions to export, by name; `rate` and `rate_as` where the model predicts ratings."""
    make, wishes = partial(signature, served), WishesPart()
    plain, person = PersonPart(required=True), PersonPart(served.told)
    by_rating = dataclasses.replace(MIX, default=[1.0])
    signatures = {
        "evaluate": make(evaluate, examples=EXAMPLES),
        "recommend": make(recommend, person=plain, k=K_REQUIRED),
        "recommend_filtered": make(recommend_filtered, person=person, wishes=wishes),
        "recommend_group": make(recommend_group, group=GroupPart(served.told), wishes=wishes),
        "rank": make(rank, movie_id=MOVIES, person=person, mix=by_rating if served.rates else MIX),
        "explain": make(explain, movie_id=MOVIE, person=person),
        "similar": make(similar, movie_id=MOVIE, k=K),
        "history": make(history, user_id=USER),
        "query": make(query, person=plain),
    }
    if not served.rates:
        return signatures
    return {
        **signatures,
        "rate": make(rate, person=plain, movie_id=MOVIES),
        "rate_as": make(rate, movie_id=MOVIES, person=person),
    }
