"""An exported model with weights drawn at random: of any size, in seconds, with no training."""

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import data
from schemas.words import MOVIE, Item

POSTERS = (b"https://pictures.example/%d.jpg", b"film %d.svg")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


def export_random(
    path: Path,
    movies: int,
    users: int = 50,
    events: int = 30,
    seed: int = 1,
    skew: float = 1.0,
    rated: float = 1.0,
    item: Item = MOVIE,
    mix: float = 0.0,
    posters: bool = False,
) -> None:
    """Writes a SavedModel to `path`.

    Its titles, years and genres are those of the embedded catalogue as far as that goes; each user
    has `events` stored events, of which a share is `rated`. The movie of rank r has
    1000 / r ** skew of them. `item` is what they are called, `mix` the order of lists for people.
    `posters` are named in turn by an address and by a file.
    """
    from components.exported.module import ExportedRecommender, save
    from components.exported.stored import StoredUsers
    from components.model import randomness
    from components.model.config import ModelConfig
    from components.model.linear import LinearPath
    from components.model.parsing import Lookup, table
    from components.model.recommender import Recommender

    rng = np.random.default_rng(seed)
    randomness.seed(seed)
    facts = model_facts(movies, users, rng, skew, rated)
    if posters:
        named = [[POSTERS[row % 2] % row] for row in range(movies)]
        facts = replace(facts, values={**facts.values, "poster": named})
    model = Recommender(ModelConfig(), facts, ordered=True)
    model.compute_loss(_window(movies, rng))
    covered = np.argsort(-facts.counts)[: model.config.linear_movies].astype(np.int32)
    between = rng.normal(0, 0.05, [len(covered)] * 2).astype(np.float32)
    model.linear = LinearPath(movies, covered, between)
    model.linear.set(0.5, 100.0)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, 0.1, variable.shape).astype(np.float32))
    picked = np.concatenate([rng.choice(movies, events, replace=False) for _ in range(users)])
    given = rng.integers(1, 11, users * events).astype(np.float32) / 2
    given[rng.random(len(given)) >= rated] = np.nan
    stored = StoredUsers(
        facts.user_ids,
        np.zeros([users, len(facts.user_features)], np.int32),
        np.arange(users + 1) * events,
        picked.astype(np.int32),
        given,
    )
    lookup = Lookup(
        table(facts.movie_ids, -1),
        table(facts.user_ids, users),
        {name: table(values, len(values)) for name, values in facts.user_features.items()},
    )
    declared = ("gender", "age", "occupation")  # the model knows the first one
    save(ExportedRecommender(model, lookup, 100, stored, declared, item, mix=mix), str(path))


def model_facts(
    movies: int, users: int, rng: np.random.Generator, skew: float = 1.0, rated: float = 1.0
) -> Any:
    from components.model.facts import Facts, Raters

    with (data.EMBEDDED / "movies.csv").open(encoding="utf-8") as file:
        known = list(csv.DictReader(file))[:movies]
    more = range(len(known), movies)
    titles = [row["title"] for row in known] + [f"Film {i} ({1950 + i % 70})" for i in more]
    genres = [row["genres"].split("|") for row in known] + [["Drama", "Comedy"]] * len(more)
    years = [title.strip()[-5:-1] for title in titles]
    counts = np.floor(1000 / (1.0 + rng.permutation(movies)) ** skew)
    return Facts(
        movie_ids=[row["movieId"].encode() for row in known] + [b"x%d" % i for i in more],
        movie_titles=[title.encode() for title in titles],
        id_rows=np.arange(movies, dtype=np.int32),
        oov_rows=np.full(movies, movies, np.int32),
        features={},
        user_ids=[b"%d" % i for i in range(1, users + 1)],
        user_features={"gender": [b"F", b"M"]},
        scale=(0.5, 5.0) if rated else None,
        counts=counts,
        rated_counts=rated * counts,
        rating_sums=rated * counts * 3.5,
        squares=float(rated * counts.sum() * 13),
        raters=Raters(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32)),
        values={
            "year": [[year.encode()] if year.isdecimal() else [] for year in years],
            "genres": [[name.encode() for name in own if "(" not in name] for own in genres],
        },
    )


def _window(movies: int, rng: np.random.Generator) -> Any:
    import tensorflow as tf

    from components.model.window import Window

    ones = tf.ones([2, 5])
    return Window(
        tf.zeros([2], tf.int32), tf.zeros([2, 1], tf.int32),
        tf.constant(rng.integers(0, movies, [2, 5]), tf.int32), ones, ones, ones,
        tf.zeros([2, 5], tf.int32), tf.zeros([2, 1, 0], tf.int32),
    )  # fmt: skip
