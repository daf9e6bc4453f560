"""The Examples of a run as arrays, so that every peer reads the very rows that Greenlight reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import tensorflow as tf
from numpy.typing import NDArray

from components.examples.arrow import filled
from components.examples.catalogue import read_catalogue
from components.examples.records import records
from components.model.parsing import table
from schemas.artifacts import CATALOGUE, SPLIT_PREFIX

Array = NDArray[Any]
PAUSE = 3600 * 1_000_000  # microseconds without a rating that end a session


@dataclass(frozen=True)
class Ragged:
    """Lists of numbers, one behind the other; list i is values[offsets[i]:offsets[i + 1]]."""

    values: Array
    offsets: Array

    @property
    def lengths(self) -> Array:
        """int64 [lists]."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Array:
        """The list that each value belongs to, int64 [values]."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.lengths)

    def matrix(self, width: int) -> sp.csr_matrix:
        """Which numbers each list holds: ones, float32 [lists, width]."""
        ones = np.ones(len(self.values), np.float32)
        return sp.csr_matrix((ones, self.values, self.offsets), (len(self.offsets) - 1, width))


@dataclass(frozen=True)
class Rows:
    """Ratings to predict, or, for train, to learn from.

    user: int32 [rows], behind the last one for users that train does not have.
    person: int64 [rows], one number for each user, whether train has them or not.
    movie, rating, time: of the target, [rows].
    history, history_rating, history_time: what may be known of the user then; empty for train.
    seen: the movies of the events before the history, which are left out and not read.
    """

    user: Array
    person: Array
    movie: Array
    rating: Array
    time: Array
    history: Ragged
    history_rating: Array
    history_time: Array
    seen: Ragged

    def matrix(self, movies: int) -> sp.csr_matrix:
        """Which movies each row's history holds: ones, float32 [rows, movies]."""
        return self.history.matrix(movies)

    def left_out(self, movies: int) -> sp.csr_matrix:
        """Which movies each row's list leaves out, [rows, movies]: all that the user has seen."""
        return self.history.matrix(movies) + self.seen.matrix(movies)

    @property
    def first(self) -> Array:
        """bool [rows]: nothing is known of the user before the target."""
        return np.asarray(self.history.lengths == 0)

    @property
    def same_sitting(self) -> Array:
        """bool [rows]: the target came less than an hour after the newest event of the history."""
        return np.asarray((self._gap >= 0) & (self._gap < PAUSE))

    @property
    def after_pause(self) -> Array:
        """bool [rows]: the target came an hour or more after the newest event of the history."""
        return np.asarray(self._gap >= PAUSE)

    @property
    def _gap(self) -> Array:
        """Microseconds since the newest event of the history, -1 with none: int64 [rows]."""
        if not len(self.history_time):
            return np.full(len(self.user), -1)
        last = np.where(self.first, 0, self.history.offsets[1:] - 1)
        return np.where(self.first, -1, self.time - self.history_time[last])


@dataclass(frozen=True)
class Split:
    """One data set under one protocol.

    train: what to learn from.
    valid, eval: what to predict, by histories of their own.
    """

    users: int
    movies: int
    scale: tuple[float, float]
    train: Rows
    valid: Rows
    eval: Rows

    def matrix(self) -> sp.csr_matrix:
        """Train's ratings as ones, float32 [users, movies]."""
        return self.ratings(np.ones(len(self.train.user), np.float32))

    def ratings(self, values: Array) -> sp.csr_matrix:
        """A value for each of train's ratings, [users, movies]."""
        index = (self.train.user, self.train.movie)
        return sp.csr_matrix((values, index), (self.users, self.movies))


def read_split(
    examples: str,
    catalogue: str,
    scale: tuple[float, float] | None,
    learned: Sequence[str] = ("train",),
) -> Split:
    """Reads the Examples of all splits, and the catalogue that numbers the movies.

    `learned` names what is to be learned from: train, or train and valid together.
    """
    if scale is None:
        raise SystemExit("This benchmark measures ratings, and the source has none.")
    files = tf.io.gfile.glob(f"{catalogue}/{SPLIT_PREFIX}{CATALOGUE}/*")
    movies = filled(read_catalogue(files).ids)
    train, names = _read(examples, learned, table(movies, -1), {})
    valid, _ = _read(examples, ["valid"], table(movies, -1), names)
    evaluated, _ = _read(examples, ["eval"], table(movies, -1), names)
    return Split(len(names), len(movies), scale, train, valid, evaluated)


def _read(
    examples: str,
    splits: Sequence[str],
    movies: tf.lookup.StaticHashTable,
    names: dict[bytes, int],
) -> tuple[Rows, dict[bytes, int]]:
    kinds = {"movie_id": tf.string, "rating": tf.float32, "timestamp": tf.int64}
    spec = {f"{part}{k}": tf.io.RaggedFeature(t) for k, t in kinds.items() for part in _PARTS}
    spec["seen_movie_id"] = tf.io.RaggedFeature(tf.string)
    spec["user_id"] = tf.io.FixedLenFeature([], tf.string)
    batches = [batch for split in splits for batch in _files(examples, split)]
    parts = [tf.io.parse_example(batch, spec) for batch in batches]
    if not parts:
        raise SystemExit(f"{examples}: the split {splits[0]} is empty.")
    ids = np.concatenate([p["user_id"].numpy() for p in parts])
    people, person = np.unique(ids, return_inverse=True)
    if not names:
        names = {name: number for number, name in enumerate(people)}
    users = np.array([names.get(name, len(names)) for name in ids], np.int32)
    target = _ragged(parts, "movie_id")
    history, seen = _ragged(parts, "history_movie_id"), _ragged(parts, "seen_movie_id")
    return Rows(
        np.repeat(users, target.lengths),
        np.repeat(person, target.lengths),
        movies.lookup(tf.constant(target.values)).numpy(),
        _values(parts, "rating"),
        _values(parts, "timestamp"),
        Ragged(movies.lookup(tf.constant(history.values)).numpy(), history.offsets),
        _values(parts, "history_rating"),
        _values(parts, "history_timestamp"),
        Ragged(movies.lookup(tf.constant(seen.values)).numpy(), seen.offsets),
    ), names


_PARTS = ("", "history_")


def _files(examples: str, split: str) -> Sequence[tf.Tensor]:
    return list(records(sorted(tf.io.gfile.glob(f"{examples}/{SPLIT_PREFIX}{split}/*")), 4096))


def _values(parts: Sequence[dict[str, tf.RaggedTensor]], name: str) -> Array:
    return np.concatenate([p[name].flat_values.numpy() for p in parts])


def _ragged(parts: Sequence[dict[str, tf.RaggedTensor]], name: str) -> Ragged:
    lengths = np.concatenate([p[name].row_lengths().numpy() for p in parts])
    return Ragged(_values(parts, name), np.concatenate([[0], np.cumsum(lengths)]))
