"""Permutation importance: how much worse the model becomes when a group of inputs is shuffled.

As in Breiman (2001), on rows that the model did not learn from, and for whole groups of inputs.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.diagnostics.drops import drops
from components.diagnostics.sample import sample
from components.diagnostics.shuffles import MOVIE_ID, Rows, movie_groups, user_groups
from components.exported.evaluation import HASHED_USERS
from components.model import scoring
from components.model.context import Context, latest
from components.model.linear import LinearPath
from components.model.parsing import Lookup, ParsedExamples, history, parse
from components.model.protocol import Model
from components.model.scoring import BATCH
from components.model.seen import seen_movies
from components.model.tables import MovieTables
from components.model.window import ANY_WINDOW, Window

progress = logging.getLogger("greenlight.progress")
Array = NDArray[Any]
PLAIN = ""  # the group of the figures with nothing shuffled


def importance(
    model: Model, valid: Sequence[str], lookup: Lookup, rows: int, reach: int, seed: int
) -> dict[str, Any] | None:
    """Measures what each group of inputs is worth to lists and to ratings, on rows of valid.

    A list leaves out what its own user has seen, whatever history the model is shown: otherwise an
    exchanged history would also exchange the filter. Movies are shuffled anew for every batch, so
    that the result does not depend on a single shuffle.

    Args:
      model: trained, its linear path included.
      valid: TFRecord files of Examples of one target.
      lookup: tables to rows.
      rows: how many to draw at most.
      reach: how many of the newest events an ordered model reads.
      seed: of all draws.

    Returns:
      What `drops` returns, and the seconds it took; None where there are no two users whose inputs
      could be exchanged, or where the model's answers are not finite.
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


class Shuffled(NamedTuple):
    """The catalogue as the model knows it, with one group of inputs shuffled or none.

    tables: what `MovieTables.by_name` gives.
    known_as: int32 [movies], the row that each movie has in the linear path.
    """

    tables: dict[str, tf.Tensor]
    known_as: tf.Tensor


def _measured(
    model: Model, own: Rows, reach: int, rng: np.random.Generator
) -> Mapping[str, list[Array]]:
    """Each row's figures, batch by batch: as the model is, and with each group shuffled."""
    movies = np.arange(len(model.facts.movie_ids), dtype=np.int32)
    plain, read = catalogue_of(model, PLAIN, movies), newest(own, reach)
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
        for name, catalogue, window in _sides(model, plain, shown, at, rng):
            found[name].append(figures(*catalogue, window, *truth).numpy())
    return found


def _sides(
    model: Model,
    plain: Shuffled,
    shown: Mapping[str, Rows],
    at: slice,
    rng: np.random.Generator,
) -> Iterator[tuple[str, Shuffled, Window]]:
    """What the model reads in one batch, by the group that is shuffled."""
    for name, rows in shown.items():
        yield name, plain, history(_part(rows, at))
    window = history(_part(shown[PLAIN], at))
    for name in movie_groups(model.facts):
        taken = rng.permutation(len(model.facts.movie_ids)).astype(np.int32)
        yield name, catalogue_of(model, name, taken), window


def catalogue_of(model: Model, group: str, taken: Array) -> Shuffled:
    """The catalogue if, in one group, each movie had what the one `taken` for it has."""
    facts = model.facts
    tables = model.movie_tables(facts=movie_groups(facts)[group](facts, taken) if group else facts)
    known_as = taken if group == MOVIE_ID else np.arange(len(taken), dtype=np.int32)
    return Shuffled(tables.by_name(), tf.constant(known_as))


def shuffled_scores(
    model: Model, tables: MovieTables, known_as: tf.Tensor, window: Window, reach: int
) -> tf.Tensor:
    """What `scoring.score` would give if the linear path took each movie for another.

    `known_as` int32 [movies] are the movies' rows in the linear path, which knows ids alone.
    """
    context = latest(window, reach, model.ordered)
    scores = scoring.tower_scores(model, tables, context)
    if model.linear is not None:
        scores += _shuffled_path(model.linear, context, known_as)
    return scoring.with_fallback(model.facts, window, scores)


def _shuffled_path(path: LinearPath, context: Context, known_as: tf.Tensor) -> tf.Tensor:
    window = context.window
    window = window._replace(movie=tf.gather(known_as, window.movie))
    return tf.gather(path(context._replace(window=window)), known_as, axis=1)


def newest(rows: Rows, reach: int) -> Rows:
    """The rows with histories cut to what an ordered model reads: the newest `reach` events."""
    movies, ratings = rows.examples.history_movie, rows.examples.history_rating
    known = movies >= 0
    movies, ratings = (tf.ragged.boolean_mask(x, known)[:, -reach:] for x in (movies, ratings))
    return rows.replaced(history_movie=movies, history_rating=ratings)


def _part(rows: Rows, at: slice) -> ParsedExamples:
    return ParsedExamples(*(column[at] for column in rows.examples))


def _graph(model: Model, catalogue: Shuffled, reach: int) -> Any:
    """Measures rows in one graph, traced once.

    The columns: NDCG without a cut, hit at 10, squared error (0 where unrated), and 1 where rated.
    """
    of_catalogue = tf.nest.map_structure(tf.TensorSpec.from_tensor, catalogue)
    truth = [
        tf.TensorSpec([None, None], tf.bool),
        *(tf.TensorSpec([None], dtype) for dtype in (tf.int32, tf.float32)),
    ]

    @tf.function(input_signature=[*of_catalogue, ANY_WINDOW, *truth], autograph=False)
    def figures(
        named: dict[str, tf.Tensor],
        known_as: tf.Tensor,
        read: Window,
        seen: tf.Tensor,
        target: tf.Tensor,
        given: tf.Tensor,
    ) -> tf.Tensor:
        tables = MovieTables.of(named)
        scores = shuffled_scores(model, tables, known_as, read, reach)
        rank = scoring.expected_rank(scores, target, seen)
        error = scoring.squared_error(model, tables, read, target, given, reach)
        hit = tf.cast(rank <= 10, tf.float32)
        return tf.cast(tf.stack([scoring.uncut_ndcg(rank), hit, *error], 1), tf.float64)

    return figures
