"""Starts a training from what the latest blessed model learned, row by row."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.model.facts import Facts
from components.model.protocol import Model
from components.model.weights import (
    NO_TIME,
    LearnedWeights,
    read_learned,
    vocabulary_of,
    weight_name,
)

logger = logging.getLogger("greenlight.trainer")

FRESH = "The training started anew"


def warm_start(model: Model, path: str | None) -> tuple[bool, str]:
    """Gives a new model the weights of a blessed one, where name and shape are the same.

    A row of a table goes to the row that has the same key in the new vocabulary, so that a movie
    keeps what was learned of it. Rows of new keys, and weights of another shape, keep their initial
    values; so do the tables of features that the source did not declare then.

    Args:
      model: with its initial weights.
      path: of the blessed model's SavedModel (None: nothing was blessed yet).

    Returns:
      Whether any weight was taken over, and a sentence that says which, or why none was.
    """
    if path is None:
        return False, f"{FRESH}: there is no blessed model yet."
    try:
        learned = read_learned(path)
    except (ValueError, tf.errors.OpError) as error:
        return False, f"{FRESH}: the blessed model cannot be read: {error}."
    if reason := refusal(learned, model.facts):
        return False, f"{FRESH}: {reason}."
    left = [
        weight_name(variable)
        for variable in model.variables
        if not _take(variable, learned, model.facts.keys)
    ]
    for name in left:
        logger.info("warm start: %s is new, or of another shape: it starts anew", name)
    taken = len(model.variables) - len(left)
    if not taken:
        return False, f"{FRESH}: the blessed model has no weight of the same name and shape."
    return True, (
        f"The training started from the blessed model: {taken} of {taken + len(left)} weights, "
        f"{_kept(learned, model.facts, 'movie_id')} and {_kept(learned, model.facts, 'user_id')}."
        f"{_declared_anew(learned.keys, model.facts.keys)}"
    )


def refusal(learned: LearnedWeights, facts: Facts) -> str | None:
    """Why a training on this run's data may not start from a blessed model; None if it may.

    All ratings that the blessed model learned from must be older than those that judge the new one.
    Both must know ratings of the same scale; where one of them knows none, the weights that have
    nothing to do with ratings are taken over.
    """
    if learned.scale and facts.scale and not np.allclose(learned.scale, facts.scale):
        return f"the blessed model knows ratings of {learned.scale}, these are of {facts.scale}"
    if facts.trained_until is None or learned.trained_until == NO_TIME:
        return "only where splits are cut by time is it sure that no held-out rating was learned"
    if learned.trained_until > facts.trained_until:
        return "the blessed model was trained on ratings that are now held out"
    return None


def _take(
    variable: tf.Variable, learned: LearnedWeights, keys: Mapping[str, Sequence[bytes]]
) -> bool:
    """Copies the rows, or the whole weight, that mean the same; returns whether there were any."""
    name = weight_name(variable)
    old, vocabulary = learned.weights.get(name), vocabulary_of(name, keys)
    if old is None or old.shape[1:] != tuple(variable.shape[1:]):
        return False
    if vocabulary is None:
        if old.shape == tuple(variable.shape):
            variable.assign(old)
        return bool(old.shape == tuple(variable.shape))
    if vocabulary not in keys or vocabulary not in learned.keys:
        return False
    value = variable.numpy()
    to, source = matches(learned.keys[vocabulary], keys[vocabulary], len(old), len(value))
    value[to] = old[source]
    variable.assign(value)
    return True


def matches(
    before: Sequence[bytes], now: Sequence[bytes], rows_before: int, rows_now: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Which rows of a new table have the same key as which rows of an old one.

    Args:
      before, now: the vocabularies' keys.
      rows_before, rows_now: how many rows the tables have. Rows behind the last key are for the
        unknown: they match if both tables have the same number of them. A table may end before the
        last key.

    Returns:
      Rows of the new and of the old table, int64 [matches] each.
    """
    row_before = {key: row for row, key in enumerate(before[:rows_before])}
    sources = np.array([row_before.get(key, -1) for key in now[:rows_now]], np.int64)
    to = np.flatnonzero(sources >= 0)
    source = sources[to]
    unknown = rows_now - len(now)
    if unknown > 0 and rows_before - len(before) == unknown:
        to = np.append(to, len(now) + np.arange(unknown))
        source = np.append(source, len(before) + np.arange(unknown))
    return to, source


def _declared_anew(before: Collection[str], now: Collection[str]) -> str:
    """A sentence on the features that the blessed model lacks, and those that it alone has."""
    new, gone = (sorted({*one} - {*other}) for one, other in ((now, before), (before, now)))
    parts = [f"{', '.join(new)} started anew"] if new else []
    parts += [f"what it learned of {', '.join(gone)} was left out"] if gone else []
    return f" Of the features, {', and '.join(parts)}." if parts else ""


def _kept(learned: LearnedWeights, facts: Facts, vocabulary: str) -> str:
    now = facts.keys[vocabulary]
    known = len(set(now) & set(learned.keys[vocabulary]))
    return f"{known:,} of {len(now):,} {vocabulary.removesuffix('_id')}s known"
