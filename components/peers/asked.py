"""The rows of eval that model and peers are asked about."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
import tensorflow as tf
from numpy.typing import NDArray
from tfx_bsl.coders import example_coder

from components.evaluation.measures import RANKS
from components.evaluation.metric_name import Subject
from components.evaluation.reload.moments import people
from components.evaluation.reload.signatures import EVALUATE, RECOMMEND_FILTERED, Signatures
from components.examples.catalogue import Catalogue
from components.exported.wishes import RETRIEVED

BATCH = 512  # Examples that the model is asked about at once
PEOPLE = 256  # the same where it rates as many movies of each
MODEL, POPULARITY = "candidate", "popularity"
OUTPUTS = {MODEL: RANKS[Subject.MODEL, False], POPULARITY: RANKS[Subject.POPULARITY, False]}
Array = NDArray[Any]


class Asked(NamedTuple):
    """Rows of eval, [rows] each.

    target: row of the catalogue, -1 for what it does not hold.
    time: microseconds since 1970; None where the source has no times.
    history: float32 [rows, movies], 1 for what the model reads of the user.
    seen: likewise, for all that the user is known to have seen before.
    user: identifies the user.
    ranks: what the model says of the target, by name: its own rank and popularity's.
    """

    target: Array
    time: Array | None
    history: sp.csr_matrix
    seen: sp.csr_matrix
    user: Array
    ranks: dict[str, Array]


def ask(signatures: Signatures, examples: Array, movies: Catalogue) -> Asked:
    """Decodes serialized Examples, bytes [rows], and asks the signature `evaluate` about them."""
    decoder = example_coder.ExamplesToRecordBatchDecoder()
    rows = pa.Table.from_batches([decoder.DecodeBatch(examples.tolist())])
    answers = _answers(signatures[EVALUATE], examples)
    return Asked(
        _rows(pc.list_flatten(rows["movie_id"]), movies),
        _times(rows),
        _named(rows, ["history_movie_id"], movies),
        _named(rows, ["history_movie_id", "seen_movie_id"], movies),
        answers["user"],
        {name: answers[output].astype(np.float64) for name, output in OUTPUTS.items()},
    )


def _answers(evaluate: Any, examples: Array) -> dict[str, Array]:
    parts = [
        evaluate(examples=tf.constant(examples[start : start + BATCH], tf.string))
        for start in range(0, len(examples), BATCH)
    ]
    wanted = ("user", *OUTPUTS.values())
    return {name: np.concatenate([np.ravel(p[name].numpy()) for p in parts]) for name in wanted}


def _times(rows: pa.Table) -> Array | None:
    if "timestamp" not in rows.column_names:
        return None
    times: Array = pc.list_flatten(rows["timestamp"]).to_numpy()
    return times if len(times) == len(rows) else None


def _rows(ids: pa.ChunkedArray, movies: Catalogue) -> Array:
    found = pc.index_in(ids.cast(movies.ids.type), value_set=movies.ids).fill_null(-1)
    return found.to_numpy().astype(np.int64)


def shown(signatures: Signatures, examples: Array, k: int, mix: float) -> Array:
    """Whether lists in an order with this mix hold the target: float64 [rows]."""
    hits = [np.zeros(0)]
    for start in range(0, len(examples), PEOPLE):
        parsed, user, wishes = people(signatures, examples[start : start + PEOPLE].tolist())
        order = {"mix": tf.constant([mix]), "retrieve": tf.constant([RETRIEVED])}
        lists = signatures[RECOMMEND_FILTERED](**user, **{**wishes, **order}, k=tf.constant([k]))
        found = lists["movie_id"] == parsed["movie_id"][:, tf.newaxis]
        hits.append(tf.reduce_any(found, 1).numpy().astype(np.float64))
    return np.concatenate(hits)


def _named(rows: pa.Table, columns: list[str], movies: Catalogue) -> sp.csr_matrix:
    """Which movies these columns name: float32 [rows, movies]."""
    owners, seen = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for name in columns:
        if name not in rows.column_names or pa.types.is_null(rows[name].type):
            continue
        lengths = pc.list_value_length(rows[name]).fill_null(0).to_numpy()
        owners.append(np.repeat(np.arange(len(rows)), lengths))
        seen.append(_rows(pc.list_flatten(rows[name]), movies))
    owner, movie = np.concatenate(owners), np.concatenate(seen)
    known = movie >= 0
    pairs = (np.ones(known.sum(), np.float32), (owner[known], movie[known]))
    matrix = sp.csr_matrix(pairs, (len(rows), len(movies)))
    matrix.data[:] = 1  # however often a movie is named
    return matrix
