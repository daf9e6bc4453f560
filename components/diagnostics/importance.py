"""Permutation importance: how much worse the model becomes when a group of inputs is shuffled.

As in Breiman (2001), on rows that the model did not learn from, and for whole groups of inputs.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.diagnostics.drops import drops
from components.diagnostics.sample import sample
from components.diagnostics.shuffles import MOVIE_ID, Rows, movie_groups, user_groups
from components.exported.evaluation import HASHED_USERS
from components.model import scoring
from components.model.parsing import Lookup, ParsedExamples, history, parse
from components.model.recommender import Recommender
from components.model.two_towers import TwoTowers
from components.model.window import ANY_WINDOW, Window, seen_movies
from components.trainer.judge import BATCH

progress = logging.getLogger("greenlight.progress")
Model = Recommender | TwoTowers
Array = NDArray[Any]
PLAIN = ""  # nothing is shuffled


def importance(
    model: Model, valid: Sequence[str], lookup: Lookup, rows: int, reach: int, seed: int
) -> dict[str, Any] | None:
    """Measures what each group of inputs is worth to lists and to ratings, on rows of valid.

    A list leaves out what its own user has seen, whatever history the model is shown: else an
    exchanged history would be blamed for the filter. Movies are shuffled anew for every batch, so
    that no single shuffle decides.

    Args:
      model: trained, its linear path included.
      valid: TFRecord files of Examples of one target.
      lookup: tables to rows.
      rows: how many to draw at most; 0: none.
      reach: how many of the newest events an ordered model reads.
      seed: of all draws.

    Returns:
      What `drops` does, and the seconds it took; none where there are not two users to exchange, or
      where the model's answers are no numbers.
    """
    started, rng = time.monotonic(), np.random.default_rng(seed)
    own = read_rows(lookup, sample(valid, rows, rng))
    users = own.owner
    if len(np.unique(users)) < 2:
        return None
    found = {name: np.concatenate(x) for name, x in _measured(model, own, reach, rng).items()}
    if not all(np.isfinite(figures).all() for figures in found.values()):
        return None
    worse = drops(users, found.pop(PLAIN), found, seed)
    return {**worse, "seconds": round(time.monotonic() - started, 3)}


def read_rows(lookup: Lookup, examples: Array) -> Rows:
    """Parses serialized Examples, and tells their users apart."""
    parsed = parse(lookup, tf.constant(examples, tf.string))
    return Rows(parsed, tf.strings.to_hash_bucket_fast(parsed.user_id, HASHED_USERS).numpy())


def _measured(
    model: Model, own: Rows, reach: int, rng: np.random.Generator
) -> Mapping[str, list[Array]]:
    """Each row's figures, batch by batch: as the model is, and with each group shuffled."""
    movies = np.arange(len(model.facts.movie_ids), dtype=np.int32)
    plain, read = tables_of(model, PLAIN, movies), newest(own, reach)
    groups = user_groups(model.facts, model.ordered)
    shown = {PLAIN: read, **{name: shuffle(read, rng) for name, shuffle in groups.items()}}
    figures, rows = _graph(model, plain, reach), len(own.owner)
    found: dict[str, list[Array]] = defaultdict(list)
    for start in range(0, rows, BATCH):
        done = start / rows
        progress.info("what matters to it: %.0f%%", 100 * done, extra={"done": 0.9 + done / 10})
        at = slice(start, start + BATCH)
        asked = _part(own, at)
        seen = seen_movies(history(asked), len(movies), asked.seen_movie)
        truth = (seen, asked.target, asked.target_rating)
        for name, tables, window in _sides(model, plain, shown, at, rng):
            found[name].append(figures(tables, window, *truth).numpy())
    return found


def _sides(
    model: Model,
    plain: scoring.Tables,
    shown: Mapping[str, Rows],
    at: slice,
    rng: np.random.Generator,
) -> Iterator[tuple[str, scoring.Tables, Window]]:
    """What the model reads in one batch, by the group that is shuffled."""
    for name, rows in shown.items():
        yield name, plain, history(_part(rows, at))
    window = history(_part(shown[PLAIN], at))
    for name in movie_groups(model.facts):
        taken = rng.permutation(len(model.facts.movie_ids)).astype(np.int32)
        yield name, tables_of(model, name, taken), window


def tables_of(model: Model, group: str, taken: Array) -> scoring.Tables:
    """The movies' tables if, in one group, each movie had what the one `taken` for it has."""
    facts = model.facts
    tables = model.movie_tables(facts=movie_groups(facts)[group](facts, taken) if group else facts)
    if model.linear is None:
        return tables
    itself = np.arange(len(taken), dtype=np.int32)
    return {**tables, scoring.TAKEN_FOR: tf.constant(taken if group == MOVIE_ID else itself)}


def newest(rows: Rows, reach: int) -> Rows:
    """The rows with histories cut to what an ordered model reads: the newest `reach` events."""
    movies, ratings = rows.examples.history_movie, rows.examples.history_rating
    known = movies >= 0
    movies, ratings = (tf.ragged.boolean_mask(x, known)[:, -reach:] for x in (movies, ratings))
    return rows.replaced(history_movie=movies, history_rating=ratings)


def _part(rows: Rows, at: slice) -> ParsedExamples:
    return ParsedExamples(*(column[at] for column in rows.examples))


def _graph(model: Model, tables: scoring.Tables, reach: int) -> Any:
    """Measures rows in one graph, traced once.

    The columns: NDCG without a cut, hit at 10, squared error (0 where unrated), and 1 where rated.
    """
    of_tables = tf.nest.map_structure(tf.TensorSpec.from_tensor, tables)
    truth = [
        tf.TensorSpec([None, None], tf.bool),
        *(tf.TensorSpec([None], dtype) for dtype in (tf.int32, tf.float32)),
    ]

    @tf.function(input_signature=[of_tables, ANY_WINDOW, *truth], autograph=False)
    def figures(
        tables: scoring.Tables, read: Window, seen: tf.Tensor, target: tf.Tensor, given: tf.Tensor
    ) -> tf.Tensor:
        scores = scoring.score(model, tables, read, reach).model
        rank = scoring.expected_rank(scores, target, seen)
        error = scoring.squared_error(model, tables, read, target, given, reach)
        gain, hit = np.log(2.0) / tf.math.log1p(rank), tf.cast(rank <= 10, tf.float32)
        return tf.cast(tf.stack([gain, hit, *error], 1), tf.float64)

    return figures
