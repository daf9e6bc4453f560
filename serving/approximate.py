"""An exported model whose `recommend` searches its catalogue approximately, with ScaNN.

The most rated movies are scored exactly; the others, whose score is an inner product, are found in
a tree of quantised vectors (Guo and others, 2020: anisotropic vector quantization).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import UserError
from serving.model import load, load_ops

FRONT = 4096  # movies that are always scored, where the model has no linear path
Answer = dict[str, tf.Tensor]


@dataclass(frozen=True)
class Search:
    """How thoroughly to search.

    leaves: parts that the movies are divided into; default: twice the square root of their number.
    searched: the share of the leaves that is looked into.
    reordered: candidates that are scored exactly, for each one that is asked for.
    """

    leaves: int | None = None
    searched: float = 0.6
    reordered: int = 20


class ApproximateModel(tf.Module):
    """All that the exact model answers; `recommend` and the default signature are approximate.

    Its catalogue, users and other signatures are those of the exact model, which it contains.
    """

    def __init__(self, exact: Any, search: Search) -> None:
        """Builds the index, which takes seconds per 100,000 movies.

        Args:
          exact: a SavedModel that Greenlight exported, loaded.
          search: how thorough it is.

        Raises:
          UserError: no more movies than are always scored.
        """
        super().__init__()
        self.exact, self.catalogue = exact, exact.catalogue
        self.user_ids, self.scale = exact.user_ids, exact.scale
        self.user_features = exact.user_features
        for name in ("told", "item", "mix"):  # which earlier versions lack
            if hasattr(exact, name):
                setattr(self, name, getattr(exact, name))
        front, tail = _parts(exact)
        self._front, self._tail = (tf.Variable(rows, trainable=False) for rows in (front, tail))
        vectors = _vectors(exact)
        self._in_tail = tf.Variable(
            np.isin(np.arange(len(front) + len(tail)), tail), trainable=False
        )
        self._front_vectors = tf.Variable(vectors[front], trainable=False)
        self._searcher = _searcher(vectors[tail], search).serialize_to_module()
        self._reordered = search.reordered
        recommend = tf.function(self._recommend, list(_inputs()), autograph=False)
        self.functions = {**exact.functions, "recommend": recommend}

    def save(self, path: Path) -> None:
        """Writes the SavedModel; what loads it needs ScaNN's operations."""
        signatures = {**self.functions, "serving_default": self.functions["recommend"]}
        options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
        tf.saved_model.save(self, str(path), signatures, options)

    def _recommend(
        self,
        user_id: tf.Tensor,
        history_movie_id: tf.Tensor,
        history_rating: tf.Tensor,
        k: tf.Tensor,
    ) -> Answer:
        person = {"user_id": user_id, "history_movie_id": history_movie_id,
                  "history_rating": history_rating}  # fmt: skip
        person_query = self.exact.functions["query"](**person)
        k = tf.broadcast_to(tf.reshape(k, [-1]), tf.shape(person_query["known"]))
        most = tf.clip_by_value(tf.reduce_max(k), 0, self._front.shape[0] + self._tail.shape[0])
        rows, scores = self._candidates(person_query, most)
        best, place = tf.math.top_k(scores, tf.minimum(most, tf.shape(scores)[1]))
        best = tf.where(tf.range(tf.shape(best)[1]) < k[:, tf.newaxis], best, -float("inf"))
        shown = tf.math.is_finite(best)
        rows = tf.gather(rows, place, batch_dims=1)
        movie_id = tf.where(shown, tf.gather(self.catalogue.movie_id, rows), "")
        answer = {
            "movie_id": movie_id,
            "movie_title": tf.where(shown, tf.gather(self.catalogue.movie_title, rows), ""),
            "score": best,
            "known": person_query["known"],
            "source": person_query["source"],
        }
        if "rate" in self.exact.functions:
            rated = self.exact.functions["rate"](**person, movie_id=movie_id)
            answer["rating"] = rated["rating"]
        return answer

    def _candidates(self, person_query: Answer, most: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Rows and scores, -inf for those seen: all of the front, and what is found of the tail."""
        query = tf.pad(person_query["query"], [[0, 0], [0, 1]], constant_values=1.0)
        front = tf.matmul(query, self._front_vectors, transpose_b=True)
        if person_query["linear"].shape[1]:
            front += person_query["linear"]
        wanted = tf.minimum(
            most + self._seen_in_tail(person_query["history_row"]), self._tail.shape[0]
        )
        neighbours, tail = _search(self._searcher, query, wanted, self._reordered)
        rows = tf.concat(
            [
                tf.broadcast_to(self._front[tf.newaxis], tf.shape(front)),
                tf.gather(self._tail, tf.maximum(neighbours, 0)),
            ],
            1,
        )
        tail = tf.where((neighbours >= 0) & tf.math.is_finite(tail), tail, -float("inf"))
        popularity = tf.gather(self.exact.log_popularity, rows)
        scores = tf.where(
            person_query["known"][:, tf.newaxis], tf.concat([front, tail], 1), popularity
        )
        seen = _marked(person_query["history_row"], self.exact.log_popularity.shape[0])
        return rows, tf.where(tf.gather(seen, rows, batch_dims=1), -float("inf"), scores)

    def _seen_in_tail(self, rows: tf.Tensor) -> tf.Tensor:
        """The most that anyone has seen of the tail: what is found may be that and is left out."""
        seen = tf.gather(self._in_tail, tf.maximum(rows, 0)) & (rows >= 0)
        return tf.reduce_max(tf.math.count_nonzero(seen, 1, dtype=tf.int32))


def _inputs() -> tuple[tf.TensorSpec, ...]:
    return (
        tf.TensorSpec([None], tf.string, "user_id"),
        tf.TensorSpec([None, None], tf.string, "history_movie_id"),
        tf.TensorSpec([None, None], tf.float32, "history_rating"),
        tf.TensorSpec(None, tf.int32, "k"),
    )


def _parts(exact: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows of the movies that are always scored, the most rated ones, and of all others."""
    ratings = exact.catalogue.ratings.numpy()
    front = exact.linear_rows.numpy()
    if not len(front):
        front = np.argsort(-ratings, kind="stable")[:FRONT].astype(np.int32)
    tail = np.setdiff1d(np.arange(len(ratings), dtype=np.int32), front)
    if not len(tail):
        raise UserError(
            f"All {len(ratings):,} movies are scored exactly: an index begins to help at some "
            "200,000."
        )
    return front, tail


def _vectors(exact: Any) -> NDArray[Any]:
    """What a query, with a 1 behind it, is multiplied with: float32 [movies, dims + 1]."""
    vectors, popularity = exact.tables["vectors"].numpy(), exact.tables["popularity"].numpy()
    return np.concatenate([vectors, popularity[:, np.newaxis]], 1)


def _searcher(vectors: NDArray[Any], search: Search) -> Any:
    operations = load_ops()
    leaves = search.leaves or max(1, round(2 * math.sqrt(len(vectors))))
    looked_into = max(1, round(search.searched * leaves))
    builder = operations.builder(vectors, 10, "dot_product")
    tree = builder.tree(leaves, looked_into, training_sample_size=min(len(vectors), 100_000))
    return tree.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(200).build()


def _search(state: Any, query: tf.Tensor, wanted: tf.Tensor, each: int) -> tuple[Any, Any]:
    """Rows of the tail, int32, and their scores: [batch, wanted]."""
    searcher = load_ops().searcher_from_module(state)
    neighbours, scores = searcher.search_batched(
        query, final_num_neighbors=wanted, pre_reorder_num_neighbors=wanted * each
    )
    return tf.ensure_shape(neighbours, [None, None]), tf.ensure_shape(scores, [None, None])


def _marked(rows: tf.Tensor, movies: int) -> tf.Tensor:
    """Which movies are among the rows, int32 [batch, some], -1 for none: bool [batch, movies]."""
    where = tf.where(rows >= 0)
    index = tf.stack([where[:, 0], tf.cast(tf.gather_nd(rows, where), tf.int64)], 1)
    marks = tf.ones(tf.shape(index)[:1], tf.int32)
    return tf.scatter_nd(index, marks, [tf.shape(rows, tf.int64)[0], movies]) > 0


def build(path: Path, search: Search) -> ApproximateModel:
    """Builds an approximate model over an exported one."""
    return ApproximateModel(load(path), search)
